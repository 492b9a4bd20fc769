//! `rollcall import`: every sample, in every way in, and nothing twice.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::client::ask;
use crate::process::{Fresh, Service, rollcall, run, token};
use crate::sample::COLLECTION;

/// How many rows `examples/` has.
const ROWS: usize = 183;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// Runs `rollcall import`: status, standard output, standard error.
fn import(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(rollcall(data, "import").args(arguments))
}

fn last_line(out: &str) -> &str {
    out.trim_end().lines().last().unwrap()
}

fn is_sound(data: &Path) -> String {
    let (status, out, err) = run(&mut rollcall(data, "check"));
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    out
}

#[test]
fn every_sample_is_taken_in_and_a_second_time_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 10, "{files:?}");
    for file in &files {
        let file = file.to_str().unwrap();
        let (status, out, err) = import(&data, &[file]);
        assert_eq!((status, err.as_str()), (0, ""), "{file}");
        assert!(!out.contains(" 0 created") && out.contains(" 0 unchanged"), "{out}");
        let (status, out, _) = import(&data, &[file]);
        assert!(status == 0 && last_line(&out).ends_with("Nothing has changed."), "{out}");
    }
    let (status, out, _) = import(&data, &[examples().to_str().unwrap()]);
    let expected = format!(
        "11 files: 0 created, {ROWS} unchanged, 0 conflicting, 0 rejected. Nothing has changed."
    );
    assert_eq!((status, last_line(&out)), (0, expected.as_str()));
    assert!(is_sound(&data).contains(&format!("{ROWS} rows")));
}

#[test]
fn through_a_running_service_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (stopped, served) = (folder.path().join("stopped"), folder.path().join("served"));
    let samples = examples();
    let samples = samples.to_str().unwrap();
    let service = Service::start(&served);
    let tenant = token_tenant(&served);
    let local = import(&stopped, &[samples, "--tenant", &tenant]);
    let through = import(&served, &[samples]);
    assert_eq!(local, through);
    assert_eq!(local.0, 0, "{}", local.2);
    let (status, out, _) = import(&served, &[samples]);
    assert!(status == 0 && last_line(&out).ends_with("Nothing has changed."), "{out}");
    let bearer = token(&served, &[]);
    let count = ask("GET", &format!("{COLLECTION}/$count")).bearer(&bearer).send(service.address);
    assert_eq!(count.text(), ROWS.to_string());
    let other = "99999999-9999-9999-9999-999999999999";
    assert_eq!(import(&served, &[samples, "--tenant", other]).0, 0);
    assert!(served.join("LISTEN").exists());
    assert_eq!(service.stop(), Some(0));
    assert!(!served.join("LISTEN").exists());
    let (status, out, err) = import(&served, &[samples]);
    assert!(status == 0 && out.contains("Nothing has changed"), "after it has stopped: {err}");
    assert!(is_sound(&served).contains(&format!("{} rows", 2 * ROWS)));
}

/// A service that takes few rows at once is asked what would become of few at a time.
#[test]
fn what_would_be_is_known_of_any_service() {
    let fresh = Fresh::start(&["--strict-rows", "7"]);
    let (service, data) = (&fresh.service, &fresh.data);
    let (status, out, err) = import(data, &[examples().to_str().unwrap(), "--dry-run"]);
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let told = format!("11 files: {ROWS} created, ");
    assert!(last_line(&out).contains(&told), "{out}");
    let count = ask("GET", &format!("{COLLECTION}/$count")).bearer(&token(data, &[]));
    assert!(count.send(service.address).text().ends_with('0'));
}

fn token_tenant(data: &Path) -> String {
    let (_, out, _) = run(&mut rollcall(data, "client"));
    out.lines().next().unwrap().trim_start_matches("TENANT=").to_owned()
}

#[test]
fn what_was_exported_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(import(&data, &[examples().to_str().unwrap()]).0, 0);
    let tenant = token_tenant(&data);
    let export = |data: &Path, format: &str| {
        let arguments = ["--all", "--format", format, "--tenant", &tenant];
        let (status, out, err) = run(rollcall(data, "export").args(arguments));
        assert_eq!((status, err.as_str()), (0, ""));
        out
    };
    for format in ["csv", "jsonl"] {
        let (file, other) = (folder.path().join("all"), folder.path().join(format));
        let all = export(&data, format);
        std::fs::write(&file, &all).unwrap();
        let (status, out, err) = import(&other, &[file.to_str().unwrap(), "--tenant", &tenant]);
        assert_eq!((status, err.as_str()), (0, ""));
        assert!(last_line(&out).contains(&format!("{ROWS} created")), "{out}");
        assert_eq!(export(&other, format), all, "ids included");
        let (_, out, _) = import(&data, &[file.to_str().unwrap()]);
        assert!(last_line(&out).ends_with("Nothing has changed."), "{out}");
    }
}

const HEAD: &str = "reportRefreshDate,teams,reportDate,reportPeriod\n";

#[test]
fn other_numbers_are_left_alone_unless_they_are_to_replace() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("a.csv"));
    let name = file.to_str().unwrap();
    let write = |teams: &str| {
        let row = |day: &str| format!("2026-11-20,{teams},2026-11-{day},7\n");
        std::fs::write(&file, [HEAD, &row("18"), &row("17")].concat()).unwrap();
    };
    for served in [false, true] {
        let data = if served { folder.path().join("served") } else { data.clone() };
        let service = served.then(|| Service::start(&data));
        write("5");
        assert_eq!(import(&data, &[name]).0, 0);
        write("6");
        let (status, out, err) = import(&data, &[name]);
        assert_eq!(status, 1);
        let summary = "1 file: 0 created, 0 unchanged, 2 conflicting, 0 rejected.";
        assert_eq!(last_line(&out), summary);
        assert!(err.contains(&format!("{name}:2: Another object with the same")), "{err}");
        assert!(err.contains(&format!("{name}:3: ")), "{err}");
        let dry = "Nothing was written. It would have been, from 1 file: 0 created, 0 unchanged, \
                   2 replaced, 0 conflicting, 0 rejected.";
        let (status, out, _) = import(&data, &[name, "--replace", "--dry-run"]);
        assert_eq!((status, last_line(&out)), (0, dry));
        let (status, out, _) = import(&data, &[name, "--replace"]);
        assert_eq!(status, 0);
        assert!(last_line(&out).contains("2 replaced"), "{out}");
        let (_, out, _) = import(&data, &[name]);
        assert!(last_line(&out).contains("2 unchanged"), "{out}");
        drop(service);
        is_sound(&data);
    }
}

#[test]
fn what_cannot_be_read_keeps_nothing_else_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let samples = examples();
    std::fs::write(path("a.csv"), "x,y\n1,2\n").unwrap();
    std::fs::write(path("b.csv.gz"), b"\x1f\x8bnonsense").unwrap();
    std::fs::write(path("c.zip"), b"PK\x03\x04nonsense").unwrap();
    let bad = [HEAD, "2026-11-20,x,2026-11-18,7\n2026-11-20,5,2026-11-18,7\n"].concat();
    std::fs::write(path("d.csv"), bad).unwrap();
    std::fs::write(path("e.csv"), "").unwrap();
    std::fs::copy(samples.join("plain.csv"), path("f.csv")).unwrap();
    let (status, out, err) = import(&path("data"), &[folder.path().to_str().unwrap()]);
    assert_eq!(status, 1);
    let summary =
        "2 files: 8 created, 0 unchanged, 0 conflicting, 1 rejected. 4 could not be read.";
    assert_eq!(last_line(&out), summary, "{err}");
    for told in [
        "a.csv: The heading row has 'x', 'y', which nobody knows",
        "b.csv.gz: ",
        "c.zip: The zip archive cannot be read",
        "d.csv:2: Cannot convert the literal 'x'",
        "e.csv: There is no heading row",
    ] {
        assert!(err.contains(told), "{told}\n{err}");
    }
    let (status, _, err) = import(&path("data"), &["nowhere.csv"]);
    assert_eq!((status, err.as_str()), (1, "rollcall: There is no file nowhere.csv.\n"));
    let (status, _, err) = import(&path("data"), &["x", "--report", "nothing"]);
    assert!(status == 1 && err.contains("Expected getOffice365ActiveUserCounts"), "{err}");
}

#[test]
fn standard_input_is_read_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (sample, rows) in [("plain.csv", 7), ("gzipped.csv.gz", 90), ("lines.jsonl", 7)] {
        let file = std::fs::File::open(examples().join(sample)).unwrap();
        let mut command = rollcall(&data, "import");
        let (status, out, err) = run(command.arg("-").stdin(Stdio::from(file)));
        assert_eq!((status, err.as_str()), (0, ""), "{sample}");
        assert!(last_line(&out).starts_with(&format!("1 file: {rows} created")), "{out}");
    }
    let file = std::fs::File::open(examples().join("archive.zip")).unwrap();
    let (status, _, err) = run(rollcall(&data, "import").arg("-").stdin(Stdio::from(file)));
    assert!(status == 1 && err.contains("Expected a file"), "{err}");
}

/// CSV of so many facts, in no order of any tree.
fn many(path: &Path, rows: u32) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    file.write_all(HEAD.as_bytes()).unwrap();
    for n in 0..rows {
        let n = n.wrapping_mul(7919) % rows;
        let (day, period) = (n % 28 + 1, n / 28 + 1);
        writeln!(file, "2026-10-30,{n},2026-10-{day:02},{period}").unwrap();
    }
    file.flush().unwrap();
}

#[test]
fn killed_half_way_and_run_again_it_is_complete_and_without_doubles() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.csv");
    let rows = 240_000;
    many(&file, rows);
    for served in [false, true] {
        let data = folder.path().join(if served { "served" } else { "stopped" });
        // So that a kill meets a database that has its tables.
        let empty = folder.path().join("empty.csv");
        std::fs::write(&empty, HEAD).unwrap();
        assert_eq!(import(&data, &[empty.to_str().unwrap()]).0, 0);
        let service = served.then(|| Service::start(&data));
        for delay in [0.15, 0.4, 0.9] {
            let mut child = rollcall(&data, "import");
            let mut child = child.arg(&file).stdout(Stdio::null()).spawn().unwrap();
            Command::new("sleep").arg(delay.to_string()).status().unwrap();
            drop(child.kill());
            child.wait().unwrap();
            is_sound(&data);
        }
        let (status, out, err) = import(&data, &[file.to_str().unwrap()]);
        assert_eq!((status, err.as_str()), (0, ""));
        let placed: u32 = [" created", " unchanged"]
            .map(|name| {
                let before = last_line(&out).split(name).next().unwrap();
                before.rsplit(' ').next().unwrap().parse::<u32>().unwrap()
            })
            .iter()
            .sum();
        assert_eq!(placed, rows, "{out}");
        drop(service);
        assert!(is_sound(&data).contains(&format!("{rows} rows")));
    }
}

#[test]
fn a_folder_that_is_in_use_and_does_not_say_where_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    std::fs::remove_file(data.join("LISTEN")).unwrap();
    let samples = examples();
    let (status, _, err) = import(&data, &[samples.to_str().unwrap()]);
    assert!(status == 1 && err.contains("does not say where it listens"), "{err}");
    assert_eq!(service.stop(), Some(0));
}
