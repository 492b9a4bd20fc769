//! The corpus of the fuzz targets, as ordinary tests: what a fuzzer once began
//! with or found stays read as it should be. See `fuzz/`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../../../fuzz/src/lib.rs"]
mod fuzz;

use std::collections::BTreeSet;
use std::path::Path;

/// The names in a folder of the fuzz package.
fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn each_target_takes_its_corpus() {
    for (target, run) in fuzz::ALL {
        let folder = format!("corpus/{target}");
        let files = names(&folder);
        assert!(!files.is_empty(), "{folder} is empty");
        for file in files {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(&folder);
            println!("{target}: {file}");
            run(&std::fs::read(path.join(file)).unwrap());
        }
    }
}

#[test]
fn each_target_has_a_corpus_and_a_program() {
    let targets: BTreeSet<String> = fuzz::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), targets);
    let programs = names("fuzz_targets");
    let programs = programs.iter().map(|file| file.strip_suffix(".rs").unwrap().to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), targets);
}
