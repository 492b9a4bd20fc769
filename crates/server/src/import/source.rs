//! Where rows come from: files, folders, patterns, archives, standard input.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::progress::{Counted, Counter};

/// The endings of files that a folder or an archive is searched for.
const ENDINGS: [&str; 3] = [".csv", ".jsonl", ".ndjson"];

/// How a gzipped text begins, and a zip archive.
const GZIP: &[u8] = b"\x1f\x8b";
const ZIP: &[u8] = b"PK\x03\x04";

/// How many bytes tell them from others.
const MAGIC: u64 = 4;

/// One thing to import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Input,
    /// A file, which may be an archive of several.
    File(PathBuf),
}

/// Why an import does not go on.
#[derive(Debug)]
pub enum Failure {
    /// This text cannot be read, and others can.
    Source(String),
    /// Rows find no place any more.
    Sink(String),
}

/// The forms of a text with rows, told by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV.
    Csv,
    /// A JSON object on each line.
    Lines,
}

impl Form {
    /// The form of a text that begins so.
    pub fn of(start: &[u8]) -> Self {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        if start.trim_ascii_start().starts_with(b"{") { Self::Lines } else { Self::Csv }
    }
}

/// What these arguments mean: of folders all files with rows, at any depth, in
/// the order of their names.
pub fn find(arguments: &[String]) -> Result<Vec<Source>, String> {
    let mut found = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            found.push(Source::Input);
        } else if path.is_dir() {
            let before = found.len();
            search(path, &mut found)?;
            if found.len() == before {
                return Err(format!(
                    "The folder {argument} has no files with rows. {}",
                    expected()
                ));
            }
        } else if path.exists() {
            found.push(Source::File(path.to_owned()));
        } else {
            pattern(argument, &mut found)?;
        }
    }
    Ok(found)
}

fn expected() -> String {
    format!("Expected files that end in {}, or that and .gz, or .zip.", ENDINGS.join(", "))
}

fn pattern(argument: &str, found: &mut Vec<Source>) -> Result<(), String> {
    let wrong =
        |error: &dyn std::fmt::Display| format!("The pattern {argument} is wrong: {error}.");
    let before = found.len();
    for path in glob::glob(argument).map_err(|error| wrong(&error))? {
        let path = path.map_err(|error| wrong(&error))?;
        if path.is_dir() { search(&path, found)? } else { found.push(Source::File(path)) }
    }
    if found.len() == before { Err(format!("There is no file {argument}.")) } else { Ok(()) }
}

fn search(folder: &Path, found: &mut Vec<Source>) -> Result<(), String> {
    let unreadable = |error: io::Error| format!("{} cannot be read: {error}.", folder.display());
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let paths: io::Result<Vec<PathBuf>> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut paths = paths.map_err(unreadable)?;
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() && !path.is_symlink() {
            search(&path, found)?;
        } else if has_rows(&name) || is(&name, ".zip") {
            found.push(Source::File(path));
        }
    }
    Ok(())
}

fn is(name: &str, ending: &str) -> bool {
    let start = name.len().checked_sub(ending.len());
    start.and_then(|start| name.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

fn has_rows(name: &str) -> bool {
    let bare = if is(name, ".gz") { &name[..name.len() - 3] } else { name };
    ENDINGS.iter().any(|ending| is(bare, ending))
}

/// Takes a text and its name.
type Take<'t> = dyn FnMut(&str, &mut dyn Read) -> Result<(), Failure> + 't;

impl Source {
    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Input => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// How many bytes it has, as far as that is known.
    pub fn size(&self) -> u64 {
        match self {
            Self::Input => 0,
            Self::File(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
        }
    }

    /// Hands on each text that is in it. What it is, its first bytes say.
    pub fn each(&self, counter: &Counter, take: &mut Take<'_>) -> Result<(), Failure> {
        let name = self.name();
        match self {
            Self::Input => {
                let mut input = Counted::new(io::stdin().lock(), Counter::clone(counter));
                let start = start_of(&mut input)?;
                if start.starts_with(ZIP) {
                    return Err(Failure::Source(
                        "A zip archive cannot be read as it comes. Expected a file.".to_owned(),
                    ));
                }
                plain(&name, &start.clone(), start.as_slice().chain(input), take)
            }
            Self::File(path) => {
                let file = File::open(path).map_err(unread)?;
                let mut file = Counted::new(file, Counter::clone(counter));
                let start = start_of(&mut file)?;
                if start.starts_with(ZIP) {
                    return archive(&name, file, take);
                }
                plain(&name, &start.clone(), start.as_slice().chain(file), take)
            }
        }
    }
}

fn start_of(bytes: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut start = Vec::new();
    bytes.take(MAGIC).read_to_end(&mut start).map_err(unread)?;
    Ok(start)
}

/// A text, gunzipped where it is gzipped.
fn plain(name: &str, start: &[u8], bytes: impl Read, take: &mut Take<'_>) -> Result<(), Failure> {
    if start.starts_with(GZIP) {
        take(name, &mut MultiGzDecoder::new(bytes))
    } else {
        take(name, &mut { bytes })
    }
}

/// Every text of an archive.
fn archive(name: &str, file: impl Read + Seek, take: &mut Take<'_>) -> Result<(), Failure> {
    let unread = |error: zip::result::ZipError| {
        Failure::Source(format!("The zip archive cannot be read: {error}."))
    };
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(unread)?;
    let mut found = false;
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(unread)?;
        let inner = entry.name().map_err(unread)?.into_owned();
        if entry.is_dir() || !has_rows(&inner) {
            continue;
        }
        found = true;
        let start = start_of(&mut entry)?;
        let name = format!("{name}/{inner}");
        plain(&name, &start.clone(), start.as_slice().chain(entry), take)?;
    }
    let nothing = || Failure::Source(format!("The zip archive has no rows. {}", expected()));
    if found { Ok(()) } else { Err(nothing()) }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands where map_err wants a function")]
fn unread(error: io::Error) -> Failure {
    Failure::Source(format!("It cannot be read: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_by_their_start() {
        for lines in ["{\"a\":1}", " \n{", "\u{feff}{}"] {
            assert_eq!(Form::of(lines.as_bytes()), Form::Lines, "{lines}");
        }
        for csv in ["", "a,b", "\"{\"", "\u{feff}Data as of"] {
            assert_eq!(Form::of(csv.as_bytes()), Form::Csv, "{csv}");
        }
    }

    #[test]
    fn folders_and_patterns_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("sub")).unwrap();
        for name in ["b.CSV", "a.csv.gz", "sub/c.jsonl", "sub/d.zip", "e.txt", ".f.csv", "g.gz"] {
            std::fs::write(path(name), "").unwrap();
        }
        let found = |arguments: &[PathBuf]| {
            let arguments: Vec<String> =
                arguments.iter().map(|one| one.display().to_string()).collect();
            find(&arguments)
        };
        let files = |names: &[&str]| {
            Ok(names.iter().map(|name| Source::File(path(name))).collect::<Vec<_>>())
        };
        assert_eq!(
            found(&[folder.path().to_owned()]),
            files(&["a.csv.gz", "b.CSV", "sub/c.jsonl", "sub/d.zip"])
        );
        assert_eq!(
            found(&[path("*.txt"), path("su?")]),
            files(&["e.txt", "sub/c.jsonl", "sub/d.zip"])
        );
        assert!(found(&[path("*.no")]).unwrap_err().contains("There is no file"));
        assert!(found(&[path("[")]).unwrap_err().contains("is wrong"));
        assert_eq!(find(&["-".to_owned()]), Ok(vec![Source::Input]));
        std::fs::create_dir(path("empty")).unwrap();
        assert!(found(&[path("empty")]).unwrap_err().contains(".csv, .jsonl"));
    }
}
