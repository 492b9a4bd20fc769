//! `docs/odata.md`: every requirement has its row, and every test that a row
//! names is there. That it ran is for `.ci/checklist` to say.

use std::path::Path;
use std::process::Command;

/// The sections of the checklist and how many rows each has.
const ROWS: [(char, usize); 6] = [('m', 20), ('u', 15), ('i', 10), ('a', 10), ('h', 10), ('j', 8)];

/// What is said of a requirement, whatever is added to it.
const STATES: [&str; 3] = ["met", "501", "n/a"];

/// The cells of each row that has an id.
fn rows() -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/odata.md");
    let page = std::fs::read_to_string(page).unwrap();
    let cells = |line: &str| {
        let inside = line.trim_matches('|').split(" | ");
        inside.map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
    };
    let of_an_id = |cells: &Vec<String>| {
        ROWS.iter().any(|(letter, _)| {
            cells[0].strip_prefix(*letter).is_some_and(|rest| rest.parse::<usize>().is_ok())
        })
    };
    page.lines().filter(|line| line.starts_with('|')).map(cells).filter(of_an_id).collect()
}

/// The tests of this binary that are not ignored.
fn tests() -> Vec<String> {
    let list = |arguments: &[&str]| {
        let mut binary = Command::new(std::env::current_exe().unwrap());
        let output = binary.args(["--list", "--format", "terse"]).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let ignored = list(&["--ignored"]);
    assert_eq!(ignored, "", "no test is ignored here");
    let all = list(&[]);
    all.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect()
}

#[test]
fn every_requirement_has_its_row() {
    let expected =
        ROWS.iter().flat_map(|(letter, rows)| (1..=*rows).map(move |n| format!("{letter}{n}")));
    let rows = rows();
    let found: Vec<&str> = rows.iter().map(|cells| cells[0].as_str()).collect();
    assert_eq!(found, expected.collect::<Vec<_>>());
    for cells in &rows {
        let [id, need, words, state, tests] = cells.as_slice() else { panic!("{cells:?}") };
        assert!(["M", "S", "O"].contains(&need.as_str()), "{id}: {need}");
        assert!(STATES.iter().any(|one| state.starts_with(one)), "{id}: {state}");
        assert!(!words.is_empty() && tests.contains("::"), "{id} names no test");
    }
}

#[test]
fn every_test_that_a_row_names_is_there() {
    let tests = tests();
    for cells in rows() {
        for name in cells[4].split(", ").map(|name| name.trim_matches('`')) {
            let elsewhere = name.starts_with("odata::") || name.starts_with("store::");
            let in_suite = format!("plain::{name}");
            let here = tests.iter().any(|test| test == name || *test == in_suite);
            assert!(elsewhere || here, "{}: there is no test {name}", cells[0]);
        }
    }
}
