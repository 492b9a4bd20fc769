//! The real binary as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

pub const ROLLCALL: &str = env!("CARGO_BIN_EXE_rollcall");

/// A `rollcall serve` that is killed when the test ends, however it ends.
pub struct Service {
    pub address: SocketAddr,
    /// What it printed when it had started.
    pub greeting: String,
    child: Child,
}

/// A service with a folder of its own, which is gone with it.
pub struct Fresh {
    pub service: Service,
    pub data: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fresh {
    /// One that is started with these arguments besides.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut command = rollcall(&data, "serve");
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        let service = Service::start_with(&mut command, &log_of(&data));
        Self { service, data, _folder: folder }
    }

    /// Ends the service; its log is whole then.
    pub fn end(&mut self) {
        signal(self.service.id(), "TERM");
        assert_eq!(self.service.child.wait().unwrap().code(), Some(0));
    }

    /// Starts it again, after whatever has become of it.
    pub fn start_again(&mut self) {
        self.service = Service::start(&self.data);
    }

    /// Runs a command on the folder to its end, with words as a shell reads them.
    pub fn run(&self, line: &str) -> (i32, String, String) {
        let words = words(line);
        run(rollcall(&self.data, &words[0]).args(&words[1..]))
    }

    /// The same of a command that does its work: what it prints.
    pub fn done(&self, line: &str) -> String {
        let (status, out, err) = self.run(line);
        assert_eq!((status, err.as_str()), (0, ""), "{line}");
        out
    }
}

/// The words of a shell's line, of which those in quotes are one.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    let words = parts.flat_map(|(at, text)| match at % 2 {
        0 => text.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![text.to_owned()],
    });
    words.collect()
}

/// A `rollcall` command with this folder, free of this machine's settings.
pub fn rollcall(data: &Path, command: &str) -> Command {
    let mut process = Command::new(ROLLCALL);
    process.arg(command).arg("--data").arg(data);
    without_settings(&mut process);
    process
}

fn without_settings(process: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ROLLCALL_") {
            process.env_remove(name);
        }
    }
}

/// Runs a command to its end: status, standard output, standard error.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// A token made by the command line.
pub fn token(data: &Path, arguments: &[&str]) -> String {
    let (status, out, err) = run(rollcall(data, "token").args(arguments));
    assert_eq!(status, 0, "{err}");
    out.trim_end().to_owned()
}

impl Service {
    /// Starts it on a free port and waits until it listens.
    pub fn start(data: &Path) -> Self {
        Self::start_with(rollcall(data, "serve").args(["--listen", "127.0.0.1:0"]), &log_of(data))
    }

    /// Starts this command, its request log in a file.
    pub fn start_with(command: &mut Command, log: &Path) -> Self {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        // The greeting ends with the line to paste and an empty one.
        while !greeting.contains("curl") && out.read_line(&mut greeting).unwrap() > 0 {}
        let Some(rest) = greeting.split("://").nth(1) else {
            let status = child.wait().unwrap();
            panic!("rollcall serve did not start: {status}");
        };
        let address = rest.split(' ').next().unwrap().parse().unwrap();
        // Whatever else it prints must not fill the pipe.
        std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
        Self { address, greeting, child }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing of the process gets to end.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit status.
    pub fn stop(self) -> Option<i32> {
        signal(self.id(), "TERM");
        self.wait()
    }

    /// Waits for it to end by itself: the exit status.
    pub fn wait(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a signal to one process.
pub fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Where the request log of a service on this folder goes: beside the folder.
pub fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

/// Whether a tool that a test needs is there. Without it a test is skipped by
/// name; in CI, where it is installed, that is a failure.
pub fn has(tool: &str, test: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        skipped(test, &format!("{tool} is not installed"));
    }
    found
}

/// Says that a test is skipped and why; in CI that is a failure.
pub fn skipped(test: &str, why: &str) {
    assert!(std::env::var_os("ROLLCALL_CI").is_none(), "{test} was skipped in CI: {why}");
    println!("skipped: {test}: {why}");
}
