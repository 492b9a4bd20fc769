//! A consistent copy of a database while others use it.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::sql::whole;
use crate::{Error, sqlite};

/// Copies the database in `file` to `to`, as it is at one moment. A service
/// may go on reading and writing meanwhile, in this process or another.
///
/// The copy has its name only when it is whole and on the disk. A file that is
/// there already is never replaced: that is an error.
pub fn backup(file: &Path, to: &Path) -> Result<(), Error> {
    refuse_existing(to)?;
    let source = sqlite::open_to_read(file)?;
    let unfinished = Unfinished::create(to)?;
    let name = unfinished.path.to_str().ok_or_else(|| {
        Error::Failed(format!("{} is not a name in UTF-8", unfinished.path.display()))
    })?;
    source.execute(whole::COPY, [name]).map_err(|error| Error::of_write(&error))?;
    sync(&unfinished.path)?;
    refuse_existing(to)?;
    fs::rename(&unfinished.path, to).map_err(|error| unwritable(to, &error))?;
    sync(folder(to))
}

/// Waits until a file or folder is on the disk.
pub(crate) fn sync(path: &Path) -> Result<(), Error> {
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| unwritable(path, &error))
}

/// The folder that a file is in.
pub(crate) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file that is removed unless it gets another name.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    /// A new file beside `to`, for its owner alone: what is in it is confidential.
    fn create(to: &Path) -> Result<Self, Error> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let name = format!(".{name}.{}.unfinished", std::process::id());
        let path = folder(to).join(name);
        create(&path)?;
        Ok(Self { path })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After the renaming there is nothing to remove.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes an empty file for its owner alone, where there is none. What SQLite puts beside
/// a database has the same permissions.
pub(crate) fn create(path: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| unwritable(path, &error))
}

fn refuse_existing(to: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(Error::Failed(format!("{} is there already", to.display()))),
        Err(_) => Ok(()),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    let cause = format!("{}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::StorageFull => Error::Full(cause),
        _ => Error::Unwritable(cause),
    }
}
