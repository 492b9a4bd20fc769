//! No report's property name is a string in the sources: what a report has
//! comes from the catalogue alone.

use std::path::{Path, PathBuf};

use rollcall_odata::catalog;

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code without its tests, which stand at the end of a file or in one of their own,
/// and without comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn no_property_name_is_a_string_literal() {
    let model = catalog::load(catalog::EMBEDDED).unwrap();
    let types = model.entity_types.iter().filter(|one| one.base.is_some());
    let names: Vec<&str> =
        types.flat_map(|one| &one.properties[1..]).map(|one| one.name.as_str()).collect();
    assert_eq!(names.len(), 10);
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let mut files = Vec::new();
    for name in ["odata", "store", "server"] {
        rust_files(&crates.join(name).join("src"), &mut files);
    }
    assert!(files.len() > 30, "{files:?}");
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let code = code(&std::fs::read_to_string(file).unwrap());
        for literal in code.split('"').skip(1).step_by(2) {
            let words = literal.split(|letter: char| !letter.is_alphanumeric());
            found.extend(
                words
                    .filter(|word| names.contains(word))
                    .map(|word| format!("{}: {word}", file.display())),
            );
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
