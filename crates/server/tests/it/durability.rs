//! What was acknowledged is on disk, whatever happens to the process.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::client::{Ask, ask};
use crate::process::{Service, has, rollcall, run, token};
use crate::sample::{COLLECTION, fact};

/// Rounds of the kill test.
const KILLS: usize = 20;

/// Writers that are at work when the service is killed.
const WRITERS: usize = 8;

fn create(token: &str, body: &str) -> Ask {
    ask("POST", COLLECTION).bearer(token).json(body)
}

#[test]
fn killed_under_load_it_keeps_what_it_acknowledged_and_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut acknowledged: HashMap<String, Vec<u8>> = HashMap::new();
    let next = AtomicUsize::new(0);
    for round in 0..KILLS {
        let service = Service::start(&data);
        let token = token(&data, &[]);
        acknowledged.extend(load_until(&service, &token, &next, 5 + 17 * round));
        service.kill();
        let service = Service::start(&data);
        for (location, body) in &acknowledged {
            let reply = ask("GET", location).bearer(&token).send(service.address);
            assert_eq!((reply.status, &reply.body), (200, body), "{location} after kill {round}");
        }
        let kept = all(&service, &token);
        assert!(kept.len() >= acknowledged.len(), "{} of {}", kept.len(), acknowledged.len());
        assert!(kept.iter().all(|one| one.as_object().unwrap().len() == 12), "a half row");
        service.kill();
        let (status, _, err) = run(&mut rollcall(&data, "check"));
        assert_eq!(status, 0, "{err}");
    }
}

/// Creates objects from several threads until so many are acknowledged, then
/// returns at once, with the others still under way.
fn load_until(
    service: &Service,
    token: &str,
    next: &AtomicUsize,
    enough: usize,
) -> HashMap<String, Vec<u8>> {
    let acknowledged = Mutex::new(HashMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                loop {
                    let body = fact(next.fetch_add(1, Ordering::SeqCst));
                    let Ok(reply) = create(token, &body).try_send(service.address) else { return };
                    assert_eq!(reply.status, 201, "{reply}");
                    let path = reply.header("location").unwrap().split("rollcall.test").nth(1);
                    let mut acknowledged = acknowledged.lock().unwrap();
                    acknowledged.insert(path.unwrap().to_owned(), reply.body.clone());
                    if acknowledged.len() == enough {
                        crate::process::signal(service.id(), "KILL");
                    }
                }
            });
        }
    });
    acknowledged.into_inner().unwrap()
}

/// Requests in each group of the kill test.
const GROUP: usize = 5;

/// An atomic group of creates: facts of its own, in JSON or as a change set.
fn group(token: &str, number: usize) -> Ask {
    let facts = (GROUP * number..GROUP * (number + 1)).map(fact);
    if number.is_multiple_of(2) {
        let requests: Vec<String> = facts
            .enumerate()
            .map(|(id, body)| {
                format!(
                    "{{\"id\":\"{id}\",\"atomicityGroup\":\"g\",\"method\":\"POST\",\"url\":\
                     \"office365ActiveUserCounts\",\"headers\":{{\"Content-Type\":\
                     \"application/json\"}},\"body\":{body}}}"
                )
            })
            .collect();
        let body = format!("{{\"requests\":[{}]}}", requests.join(","));
        return ask("POST", "/v1.0/$batch").bearer(token).json(body);
    }
    let parts: String = facts
        .map(|body| {
            format!(
                "--c\r\nContent-Type: application/http\r\n\r\nPOST office365ActiveUserCounts \
                 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n"
            )
        })
        .collect();
    let body =
        format!("--b\r\nContent-Type: multipart/mixed;boundary=c\r\n\r\n{parts}--c--\r\n--b--\r\n");
    let request = ask("POST", "/v1.0/$batch").bearer(token);
    request.header("Content-Type", "multipart/mixed;boundary=b").body(body)
}

#[test]
fn killed_among_batches_it_keeps_groups_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (next, mut acknowledged) = (AtomicUsize::new(0), Vec::new());
    for round in 0..KILLS / 2 {
        let service = Service::start(&data);
        let token = token(&data, &[]);
        acknowledged.extend(groups_until(&service, &token, &next, 3 + 5 * round));
        service.kill();
        let service = Service::start(&data);
        let mut kept: HashMap<u64, usize> = HashMap::new();
        for one in all(&service, &token) {
            *kept.entry(one["teams"].as_u64().unwrap() / GROUP as u64).or_default() += 1;
        }
        assert!(kept.values().all(|count| *count == GROUP), "half a group: {kept:?}");
        for number in &acknowledged {
            assert!(kept.contains_key(&(*number as u64)), "group {number} after kill {round}");
        }
        service.kill();
        let (status, _, err) = run(&mut rollcall(&data, "check"));
        assert_eq!(status, 0, "{err}");
    }
}

/// As `load_until`, with groups.
fn groups_until(service: &Service, token: &str, next: &AtomicUsize, enough: usize) -> Vec<usize> {
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Ok(reply) = group(token, number).try_send(service.address) else { return };
                    assert_eq!(reply.status, 200, "{reply}");
                    let text = reply.text();
                    let created = text.matches("\"status\":201").count()
                        + text.matches("HTTP/1.1 201").count();
                    assert_eq!(created, GROUP, "{reply}");
                    let mut acknowledged = acknowledged.lock().unwrap();
                    acknowledged.push(number);
                    if acknowledged.len() == enough {
                        crate::process::signal(service.id(), "KILL");
                    }
                }
            });
        }
    });
    acknowledged.into_inner().unwrap()
}

/// Every object of the collection, page by page.
fn all(service: &Service, token: &str) -> Vec<serde_json::Value> {
    let mut found = Vec::new();
    let mut next = Some(COLLECTION.to_owned());
    while let Some(target) = next {
        let reply = ask("GET", &target).bearer(token).send(service.address);
        let page = reply.json();
        found.extend(page["value"].as_array().unwrap().iter().cloned());
        let link = page["@odata.nextLink"].as_str();
        next = link.map(|link| link.split("rollcall.test").nth(1).unwrap().to_owned());
    }
    found
}

#[test]
fn a_restart_changes_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = Service::start(&data);
    let token = token(&data, &[]);
    for number in 0..3 {
        assert_eq!(create(&token, &fact(number)).send(service.address).status, 201);
    }
    let before = ask("GET", COLLECTION).bearer(&token).send(service.address);
    assert_eq!(service.stop(), Some(0));
    let service = Service::start(&data);
    let after = ask("GET", COLLECTION).bearer(&token).send(service.address);
    assert_eq!(before.text(), after.text());
}

#[test]
fn no_201_is_written_before_its_row_is_synced() {
    if !has("strace", "no_201_is_written_before_its_row_is_synced") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let trace = folder.path().join("trace");
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-y", "-xx", "-s", "100000", "-e"]);
    command.arg("trace=pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg").arg("-o").arg(&trace);
    command.arg(crate::process::ROLLCALL).args(["serve", "--listen", "127.0.0.1:0", "--data"]);
    let service = Service::start_with(command.arg(&data), &folder.path().join("log"));
    let token = token(&data, &[]);
    let ids: Vec<uuid::Uuid> =
        (1..=40).map(|number| uuid::Uuid::from_u128((number << 96) + 77)).collect();
    std::thread::scope(|scope| {
        for (number, id) in ids.iter().enumerate() {
            let body = fact(number).replacen('{', &format!("{{\"id\":\"{id}\","), 1);
            let (token, address) = (&token, service.address);
            scope.spawn(move || assert_eq!(create(token, &body).send(address).status, 201));
        }
    });
    let child = child_of(service.id());
    crate::process::signal(child, "TERM");
    service.wait();
    let trace = std::fs::read_to_string(&trace).unwrap();
    for id in ids {
        covered(&trace, id);
    }
}

/// The process that strace runs.
fn child_of(process: u32) -> u32 {
    let path = format!("/proc/{process}/task/{process}/children");
    std::fs::read_to_string(Path::new(&path)).unwrap().trim().parse().unwrap()
}

/// The row reached the write-ahead log, that was synced, and only then did
/// the answer go out.
fn covered(trace: &str, id: uuid::Uuid) {
    let escaped =
        |bytes: &[u8]| bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let row = escaped(id.as_bytes());
    let answer = escaped(format!("/{id}\r\n").as_bytes());
    let created = escaped(b"HTTP/1.1 201");
    let log = escaped(b"-wal");
    let lines: Vec<&str> = trace.lines().collect();
    let find = |from: usize, test: &dyn Fn(&str) -> bool| {
        lines[from..].iter().position(|line| test(line)).map(|at| from + at)
    };
    let write =
        find(0, &|line| line.contains("pwrite64") && line.contains(&log) && line.contains(&row));
    let write = write.expect("the row is in the write-ahead log");
    let sync = find(write, &|line| {
        line.contains("sync(") && line.contains(&log) && !line.contains("resumed")
    });
    let sync = sync.expect("the write-ahead log is synced after the row");
    let synced = if lines[sync].contains("unfinished") {
        let thread = lines[sync].split(' ').next().unwrap();
        find(sync, &|line| line.starts_with(thread) && line.contains("sync resumed")).unwrap()
    } else {
        sync
    };
    let sent = find(0, &|line| line.contains(&created) && line.contains(&answer));
    let sent = sent.expect("the answer was sent");
    assert!(synced < sent, "line {sent} answers {id} before line {synced} made it durable");
}
