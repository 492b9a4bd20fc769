//! The data folder: its format, its lock, its owner-only secrets.

mod secrets;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::tls::fingerprint::Fingerprint;
pub use secrets::{Content, FIRST_CLIENT, FirstClient, SIGNING_KEY, Secret, Secrets, new_key};

/// The format that this program writes, and the newest that it knows.
const FORMAT: u32 = 1;

const FORMAT_FILE: &str = "FORMAT";
const LOCK_FILE: &str = "LOCK";
const LISTEN_FILE: &str = "LISTEN";
const EDIT_FILE: &str = "EDIT";
const DATABASE: &str = "rollcall.db";

/// How often a folder is tried to be taken, and how long is waited in between: longer
/// than anybody takes to look whether it is free.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Ends the name of a file until it is whole.
const UNFINISHED: &str = ".new";

/// Why the folder cannot be used: what is wrong and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error of these words.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    fn of_file(path: &Path, error: &io::Error) -> Self {
        Self(format!("{} cannot be used: {error}.", path.display()))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A data folder whose format is known.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Held for as long as a process serves the folder; its end gives the folder free.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// What says where a service listens; its end takes it away.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
    address: SocketAddr,
    reload: Secret,
}

/// Where a service listens, as this machine reaches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its address.
    pub address: SocketAddr,
    /// The certificate that it shows, if it speaks TLS.
    pub certificate: Option<Fingerprint>,
    /// By what it knows who has the folder.
    pub reload: Secret,
}

impl Announcement {
    /// Says that the service shows this certificate from now on.
    pub fn certificate(&self, certificate: Fingerprint) -> Result<(), Error> {
        self.say(Some(certificate))
    }

    fn say(&self, certificate: Option<Fingerprint>) -> Result<(), Error> {
        let certificate = certificate.map(|one| format!("{one}\n")).unwrap_or_default();
        let text = format!("{}\n{}\n{certificate}", self.address, self.reload.reveal());
        write_whole(&self.path, text.as_bytes())
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // One that stays is taken away by whoever has the folder next.
        drop(fs::remove_file(&self.path));
    }
}

impl Folder {
    /// The folder at this path; made, for its owner alone, where there is none.
    ///
    /// A folder without a format is taken when it is empty, or holds nothing but
    /// a database, which is how a backup is restored. Any other is somebody else's.
    pub fn open_or_create(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            let mut builder = DirBuilder::new();
            owner_only_folder(&mut builder);
            let made = builder.recursive(true).create(path);
            made.map_err(|error| Error::of_file(path, &error))?;
        }
        if !path.join(FORMAT_FILE).exists() {
            unclaimed(path)?;
            write_whole(&path.join(FORMAT_FILE), format!("{FORMAT}\n").as_bytes())?;
        }
        Self::open(path)
    }

    /// The folder at this path, which must have been made by `rollcall serve`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let text = fs::read_to_string(path.join(FORMAT_FILE)).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "is not there or was made by something else".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            Error::new(format!(
                "The data folder {shown} {why}. `rollcall serve --data {shown}` makes one."
            ))
        })?;
        match text.trim().parse::<u32>() {
            Ok(FORMAT) => Ok(Self { path: path.to_owned() }),
            Ok(newer) if newer > FORMAT => Err(Error::new(format!(
                "The data folder {shown} has format {newer}, made by a newer Rollcall. This one \
                 knows format {FORMAT} and leaves the folder as it is."
            ))),
            _ => Err(Error::new(format!(
                "The data folder {shown} does not say its format: {FORMAT_FILE} should be the \
                 number {FORMAT}."
            ))),
        }
    }

    /// Takes the folder for this process. Another that serves it makes this an error;
    /// one that only looks whether it is free does not.
    pub fn lock(&self) -> Result<Lock, Error> {
        let taken = || {
            Error::new(format!(
                "Another `rollcall serve` has the data folder {}. Stop it first, or give this one \
                 a folder of its own with --data.",
                self.path.display()
            ))
        };
        self.lock_while(|| true)?.ok_or_else(taken)
    }

    /// As `lock`; nothing where another process has the folder, which is known at once
    /// of a service that says where it listens.
    pub fn try_lock(&self) -> Result<Option<Lock>, Error> {
        self.lock_while(|| self.announced().is_none())
    }

    /// Tries again for as long as this holds, and not for longer than anybody looks.
    fn lock_while(&self, holds: impl Fn() -> bool) -> Result<Option<Lock>, Error> {
        for _ in 1..LOCK_TRIES {
            let lock = self.lock_now()?;
            if lock.is_some() || !holds() {
                return Ok(lock);
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        self.lock_now()
    }

    fn lock_now(&self) -> Result<Option<Lock>, Error> {
        let (path, file) = self.lock_file(LOCK_FILE)?;
        match file.try_lock() {
            Ok(()) => {
                // A service that was killed could not take it away itself.
                drop(fs::remove_file(self.path.join(LISTEN_FILE)));
                Ok(Some(Lock { _file: file }))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Error::of_file(&path, &error)),
        }
    }

    /// Whether no process has the folder now. Who asks does not take it, and may
    /// ask together with others.
    pub fn is_free(&self) -> Result<bool, Error> {
        let (path, file) = self.lock_file(LOCK_FILE)?;
        match file.try_lock_shared() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(Error::of_file(&path, &error)),
        }
    }

    /// Takes the right to change who has access, once nobody else has it. It has
    /// nothing to do with who serves the folder.
    pub fn edit(&self) -> Result<Lock, Error> {
        let (path, file) = self.lock_file(EDIT_FILE)?;
        file.lock().map_err(|error| Error::of_file(&path, &error))?;
        Ok(Lock { _file: file })
    }

    /// The file of this name, which is there to be locked, and where it is.
    fn lock_file(&self, name: &str) -> Result<(PathBuf, File), Error> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        owner_only(&mut options);
        let file = options.open(&path).map_err(|error| Error::of_file(&path, &error))?;
        Ok((path, file))
    }

    /// Says where the service that has the folder listens, by what it knows who has
    /// the folder, and which certificate it shows if it speaks TLS, until what this
    /// gives is dropped.
    pub fn announce(
        &self,
        address: SocketAddr,
        reload: &Secret,
        certificate: Option<Fingerprint>,
    ) -> Result<Announcement, Error> {
        let (path, reload) = (self.path.join(LISTEN_FILE), reload.clone());
        let announcement = Announcement { path, address, reload };
        announcement.say(certificate)?;
        Ok(announcement)
    }

    /// Where the service that has the folder listens.
    pub fn announced(&self) -> Option<Announced> {
        let text = fs::read_to_string(self.path.join(LISTEN_FILE)).ok()?;
        let mut lines = text.lines();
        let address = reachable(lines.next()?.parse().ok()?);
        let reload = Secret::from(lines.next()?.to_owned());
        let certificate = lines.next().map(str::parse).transpose().ok()?;
        Some(Announced { address, certificate, reload })
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the database is.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}

/// An address that is listened on, as this machine reaches it.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// Refuses a folder that holds what Rollcall has not put there.
fn unclaimed(path: &Path) -> Result<(), Error> {
    let entries = fs::read_dir(path).map_err(|error| Error::of_file(path, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Error::of_file(path, &error))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name != DATABASE && !name.ends_with(UNFINISHED) {
            return Err(Error::new(format!(
                "The folder {} holds {name} and is no data folder. Expected one that rollcall has \
                 made, an empty one, or one with nothing but {DATABASE}.",
                path.display()
            )));
        }
    }
    Ok(())
}

/// Writes an owner-only file that is there whole or not at all, whenever the
/// machine stops.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let unfinished = path.with_added_extension(&UNFINISHED[1..]);
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        owner_only(&mut options);
        let mut file = options.open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        // The name is on the disk once its folder is.
        path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
    };
    write().map_err(|error| Error::of_file(path, &error))
}

#[cfg(unix)]
fn owner_only(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(unix)]
fn owner_only_folder(builder: &mut DirBuilder) {
    std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
}

// Elsewhere a new file belongs to its maker as the folder above it decides.
#[cfg(not(unix))]
fn owner_only(_: &mut OpenOptions) {}

#[cfg(not(unix))]
fn owner_only_folder(_: &mut DirBuilder) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_locked_by_one() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        assert!(Folder::open(&path).unwrap_err().to_string().contains("rollcall serve"));
        let folder = Folder::open_or_create(&path).unwrap();
        let lock = folder.lock().unwrap();
        let again = Folder::open_or_create(&path).unwrap();
        assert!(again.lock().unwrap_err().to_string().contains("Another `rollcall serve`"));
        assert!(!again.is_free().unwrap());
        drop(lock);
        assert!(again.is_free().unwrap());
        let (_, looks) = again.lock_file(LOCK_FILE).unwrap();
        looks.lock_shared().unwrap();
        assert!(again.is_free().unwrap(), "several may look at once");
        let waits = std::thread::spawn(move || {
            again.lock().map(drop).unwrap();
            again
        });
        std::thread::sleep(LOCK_PAUSE);
        drop(looks);
        let again = waits.join().unwrap();
        let (_, looks) = again.lock_file(LOCK_FILE).unwrap();
        looks.lock_shared().unwrap();
        let waits = std::thread::spawn(move || again.try_lock().unwrap().is_some());
        std::thread::sleep(LOCK_PAUSE);
        drop(looks);
        assert!(waits.join().unwrap());
    }

    #[test]
    fn a_restored_database_is_taken_and_a_stranger_s_folder_is_not() {
        let parent = tempfile::tempdir().unwrap();
        fs::write(parent.path().join(DATABASE), "x").unwrap();
        fs::write(parent.path().join("FORMAT.new"), "").unwrap();
        Folder::open_or_create(parent.path()).unwrap();
        let stranger = tempfile::tempdir().unwrap();
        fs::write(stranger.path().join("thesis.txt"), "x").unwrap();
        let error = Folder::open_or_create(stranger.path()).unwrap_err().to_string();
        assert!(error.contains("thesis.txt"), "{error}");
        assert_eq!(fs::read_dir(stranger.path()).unwrap().count(), 1, "nothing was added");
    }

    #[test]
    fn an_address_is_announced_while_it_holds() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open_or_create(parent.path()).unwrap();
        assert_eq!(folder.announced(), None);
        let reload = Secret::from("x".to_owned());
        let announcement = folder.announce("0.0.0.0:8365".parse().unwrap(), &reload, None);
        let announcement = announcement.unwrap();
        let address = "127.0.0.1:8365".parse().unwrap();
        let said = |certificate| Some(Announced { address, certificate, reload: reload.clone() });
        assert_eq!(folder.announced(), said(None));
        let certificate = Fingerprint::of(b"certificate");
        announcement.certificate(certificate).unwrap();
        assert_eq!(folder.announced(), said(Some(certificate)));
        drop(announcement);
        assert_eq!(folder.announced(), None);
        std::mem::forget(folder.announce("127.0.0.1:1".parse().unwrap(), &reload, None).unwrap());
        let lock = folder.try_lock().unwrap();
        assert!(lock.is_some() && folder.try_lock().unwrap().is_none());
        assert_eq!(folder.announced(), None, "who announced that was killed");
    }

    #[test]
    fn other_formats_are_refused() {
        let parent = tempfile::tempdir().unwrap();
        for (text, told) in [("2\n", "newer"), ("x", "does not say"), ("", "does not say")] {
            fs::write(parent.path().join(FORMAT_FILE), text).unwrap();
            let error = Folder::open_or_create(parent.path()).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
