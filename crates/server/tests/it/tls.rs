//! TLS with the real binary: both ways to a certificate, who trusts it, and how it is changed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rollcall::tls::fingerprint::Fingerprint;

use crate::client::{Reply, ask};
use crate::process::{Service, has, log_of, rollcall, run, token};
use crate::sample::{COLLECTION, SAMPLE};
use crate::secure::Secure;
use crate::world::World;

/// An authority of the test's own, and the two files of a service.
pub struct Files {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Files {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        std::fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem())
            .unwrap();
        let files = Self { folder, issuer: Issuer::new(params, key) };
        files.write(&files.make());
        files
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// A new certificate and its key.
    fn make(&self) -> [String; 2] {
        let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        [params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem()]
    }

    fn write(&self, [certificate, key]: &[String; 2]) {
        std::fs::write(self.path("cert.pem"), certificate).unwrap();
        std::fs::write(self.path("key.pem"), key).unwrap();
    }

    fn serve(&self) -> std::process::Command {
        let mut command = rollcall(&self.data(), "serve");
        command.args(["--listen", "127.0.0.1:0"]);
        command.arg("--tls-cert").arg(self.path("cert.pem"));
        command.arg("--tls-key").arg(self.path("key.pem"));
        command
    }

    fn start(&self) -> Service {
        Service::start_with(&mut self.serve(), &log_of(&self.data()))
    }

    fn client(&self) -> Secure {
        Secure::trusting(&self.path("ca.pem"))
    }
}

fn local(data: &Path, arguments: &[&str]) -> Service {
    let mut command = rollcall(data, "serve");
    let command = command.args(["--listen", "127.0.0.1:0", "--tls-local"]).args(arguments);
    Service::start_with(command, &log_of(data))
}

fn authority(data: &Path) -> PathBuf {
    data.join("local-authority.pem")
}

/// Waits until it is so: files are looked at every second.
fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("never: {what}");
}

#[test]
fn a_certificate_from_files() {
    let files = Files::new();
    let service = files.start();
    let greeting = &service.greeting;
    let address = service.address;
    assert!(greeting.starts_with(&format!("Rollcall listens on https://{address} and")));
    assert!(!greeting.contains("cacert") && !greeting.contains("SSL_CERT_FILE"), "{greeting}");
    let bearer = token(&files.data(), &[]);
    let create = ask("POST", COLLECTION).bearer(&bearer).json(SAMPLE);
    let (protocol, reply) = files.client().send(&create, address).unwrap();
    assert_eq!((protocol.as_str(), reply.status), ("h2", 201), "{reply}");
    let location = reply.header("location").unwrap();
    assert!(location.starts_with("https://rollcall.test/v1.0/"), "{location}");
    let stranger = Files::new();
    assert!(stranger.client().send(&create, address).is_err(), "an authority that nobody named");
    assert!(files.client().calling("localhost").send(&create, address).is_err(), "another name");
    assert_eq!(service.stop(), Some(0));
}

#[test]
fn protocols_are_chosen_by_the_client() {
    let files = Files::new();
    let service = files.start();
    let chosen = |protocols: &[&str]| {
        let client = files.client().offering(protocols);
        client.send(&ask("GET", "/health/live"), service.address).map(|(chosen, reply)| {
            assert_eq!(reply.status, 200, "{reply}");
            chosen
        })
    };
    assert_eq!(chosen(&["h2", "http/1.1"]).unwrap(), "h2");
    assert_eq!(chosen(&["http/1.1", "h2"]).unwrap(), "h2", "the service's choice");
    assert_eq!(chosen(&["http/1.1"]).unwrap(), "http/1.1");
    assert_eq!(chosen(&[]).unwrap(), "", "HTTP/1.1 where nothing is said");
    assert!(chosen(&["spdy/3"]).is_err());
}

#[test]
fn a_local_authority_is_made_once_and_signs_what_clients_need() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = local(&data, &["--public-url", "https://reports.example:8443"]);
    let (client, address) = (Secure::trusting(&authority(&data)), service.address);
    for name in ["127.0.0.1", "::1", "localhost", "reports.example"] {
        let (_, reply) = client.clone().calling(name).send(&ask("GET", "/"), address).unwrap();
        assert_eq!(reply.status, 200, "{name}");
    }
    assert!(client.clone().calling("example.com").send(&ask("GET", "/"), address).is_err());
    let other = Files::new();
    assert!(other.client().shown(address).is_err(), "trusted by who was told alone");
    let file = authority(&data);
    for told in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "--cacert"] {
        let line = service.greeting.lines().find(|line| line.contains(told)).unwrap();
        assert!(line.contains(&format!("'{}'", file.display())), "{line}");
    }
    let key = data.join("local-authority-key.pem");
    for secret in [&file, &key] {
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let first = client.shown(address).unwrap();
    drop(service);
    let kept = std::fs::read(&file).unwrap();
    let again = local(&data, &[]);
    assert_eq!(std::fs::read(&file).unwrap(), kept);
    assert_ne!(client.shown(again.address).unwrap(), first, "which the same authority signed");
    drop(again);
    std::fs::remove_file(&file).unwrap();
    let again = local(&data, &[]);
    assert_ne!(std::fs::read(&file).unwrap(), kept, "made anew for the same key");
    client.shown(again.address).unwrap();
    drop(again);
    std::fs::remove_file(&key).unwrap();
    let again = local(&data, &[]);
    assert!(client.shown(again.address).is_err(), "a key that is gone is not trusted any longer");
    Secure::trusting(&file).shown(again.address).unwrap();
}

#[test]
fn files_that_are_none_say_what_was_expected() {
    let files = Files::new();
    let other = files.make();
    let [certificate, key] = files.make();
    let write = |certificate: &str, key: &str| {
        files.write(&[certificate.to_owned(), key.to_owned()]);
    };
    let secret = key.lines().nth(1).unwrap();
    let half = &key[..key.len() / 2];
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, told) in [
        (certificate.as_str(), other[1].as_str(), "is not that of the first certificate in"),
        ("", &key, "has no certificate. Expected PEM"),
        (&key, &key, "has no certificate. Expected PEM"),
        (&certificate[..200], &key, "is not PEM"),
        (empty, &key, "cannot be read"),
        (&certificate, "", "has no private key. Expected PEM"),
        (&certificate, half, "is not PEM. Expected PEM"),
        (&certificate, &encrypted, "is encrypted. Expected PEM"),
        (&certificate, &key.replace(secret, "AAAA"), "cannot be used. Expected RSA"),
    ] {
        write(certificate, key);
        let (status, out, err) = run(&mut files.serve());
        assert_eq!((status, out.as_str()), (1, ""), "{told}");
        assert!(err.starts_with("rollcall: ") && err.contains(told), "{told}\n{err}");
        assert!(err.contains(files.folder.path().to_str().unwrap()), "which file: {err}");
        assert!(!err.contains(secret), "{err}");
    }
    std::fs::remove_file(files.path("key.pem")).unwrap();
    let (_, _, err) = run(&mut files.serve());
    assert!(err.contains("key.pem cannot be read: No such file"), "{err}");
    let (_, _, err) = run(files.serve().arg("--tls-local"));
    assert!(err.contains("--tls-local makes a certificate, and --tls-cert names another"), "{err}");
}

#[test]
fn an_authority_that_is_broken_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(local(&data, &[]));
    let key = data.join("local-authority-key.pem");
    let serve = || run(rollcall(&data, "serve").args(["--listen", "127.0.0.1:0", "--tls-local"])).2;
    let kept = std::fs::read(&key).unwrap();
    std::fs::copy(data.join("signing-key.pem"), &key).unwrap();
    let err = serve();
    assert!(err.contains("local-authority.pem, the certificate that clients trust"), "{err}");
    std::fs::write(&key, "x").unwrap();
    assert!(serve().contains("is not a P-256 key in PKCS#8 PEM"));
    std::fs::write(&key, kept).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    assert!(serve().contains("chmod 600"));
}

#[test]
fn files_that_change_are_read_again() {
    let files = Files::new();
    let service = files.start();
    let (client, address) = (files.client(), service.address);
    let shows = |pair: &[String; 2]| {
        let der = Secure::first_of(&pair[0]);
        client.shown(address).unwrap() == Fingerprint::of(&der)
    };
    let log = || std::fs::read_to_string(log_of(&files.data())).unwrap();
    let import = || {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plain.csv");
        let (status, _, err) = run(rollcall(&files.data(), "import").arg(sample));
        assert_eq!((status, err.as_str()), (0, ""));
    };
    import();
    // One after the other: what lies between is no pair.
    let second = files.make();
    std::fs::write(files.path("key.pem"), &second[1]).unwrap();
    std::fs::write(files.path("cert.pem"), &second[0]).unwrap();
    until("the second", || shows(&second));
    import();
    let line =
        log().lines().find(|line| line.contains(" certificate replaced ")).unwrap().to_owned();
    assert!(line.ends_with(&client.shown(address).unwrap().to_string()), "{line}");
    // What is broken is told once, and the one before stays.
    std::fs::write(files.path("key.pem"), "x").unwrap();
    until("a word in the log", || log().contains(" certificate kept cause="));
    assert!(shows(&second));
    std::fs::remove_file(files.path("cert.pem")).unwrap();
    until("a second word", || log().matches(" certificate kept cause=").count() == 2);
    assert!(shows(&second));
    import();
    let third = files.make();
    std::fs::write(files.path("cert.pem"), &third[0]).unwrap();
    std::fs::write(files.path("key.pem"), &third[1]).unwrap();
    until("the third", || shows(&third));
    import();
    assert!([&second, &third].iter().all(|[_, key]| !log().contains(key.lines().nth(1).unwrap())));
}

#[test]
fn import_goes_through_a_service_under_tls_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let service = local(&data, &[]);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let import = || run(rollcall(&data, "import").arg(&examples));
    let (status, out, err) = import();
    assert_eq!((status, err.as_str()), (0, ""), "{out}");
    let bearer = token(&data, &[]);
    let count = ask("GET", &format!("{COLLECTION}/$count")).bearer(&bearer);
    let (_, reply) = Secure::trusting(&authority(&data)).send(&count, service.address).unwrap();
    assert_eq!(reply.text(), "183");
    // Another service under the same address would have another certificate.
    let listen = std::fs::read_to_string(data.join("LISTEN")).unwrap();
    let lines: Vec<_> = listen.lines().collect();
    let [address, reload, fingerprint] = lines[..] else { panic!("{listen}") };
    let other = Fingerprint::of(b"another").to_string();
    std::fs::write(data.join("LISTEN"), listen.replace(fingerprint, &other)).unwrap();
    let (status, _, err) = import();
    assert_eq!(status, 1);
    assert!(err.contains(&format!("The service at {address} did not take the rows: ")), "{err}");
    std::fs::write(data.join("LISTEN"), format!("{address}\n{reload}\nsha256:x\n")).unwrap();
    assert!(import().2.contains("does not say where it listens"));
}

#[test]
fn other_machines_may_come_under_tls() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut command = rollcall(&data, "serve");
    let command = command.args(["--listen", "0.0.0.0:0", "--tls-local"]);
    let service = Service::start_with(command, &log_of(&data));
    let port = service.address.port();
    let address = format!("127.0.0.1:{port}");
    let client = Secure::trusting(&authority(&data));
    let (_, reply) = client.send(&ask("GET", "/"), address.parse().unwrap()).unwrap();
    assert_eq!(reply.status, 200);
    assert!(service.greeting.contains(&format!("https://{address}/v1.0/")), "{}", service.greeting);
}

#[test]
fn plain_http_is_told_what_is_spoken() {
    let world = World::secured();
    let bearer = world.writer();
    let reply = ask("POST", COLLECTION).bearer(&bearer).json(SAMPLE).send(world.address());
    assert_eq!((reply.status, reply.code().as_str()), (400, "BadRequest"), "{reply}");
    assert!(reply.message().contains("Expected HTTPS"), "{reply}");
    assert_eq!(
        world.send(&ask("GET", COLLECTION).bearer(&bearer)).json()["value"],
        serde_json::json!([])
    );
    // It ends after one answer, and what is neither ends as well.
    let keep = ask("GET", "/").header("Connection", "keep-alive").bytes().repeat(2);
    let answered = exchange(&world, &keep);
    assert_eq!(String::from_utf8_lossy(&answered).matches("HTTP/1.1 ").count(), 1);
    assert!(Reply::parse(&answered).is_some_and(|reply| reply.status == 400));
    for nonsense in [&b"\x00\x01\x02\r\n\r\n"[..], b"\x16\x03\x01\xff\xff nonsense", b"\x16GET /"] {
        let answered = exchange(&world, nonsense);
        assert!(!answered.windows(3).any(|three| three == b"200"), "{answered:?}");
    }
    assert_eq!(world.send(&ask("GET", "/")).status, 200);
}

/// Sends this as it is, and reads to the end.
fn exchange(world: &World, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(world.address()).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answered = Vec::new();
    drop(stream.read_to_end(&mut answered));
    answered
}

#[test]
fn who_does_not_agree_in_time_holds_no_place() {
    let world = World::secured_with_limits(|limits| {
        limits.connections = 2;
        limits.handshake_time = Duration::from_millis(300);
    });
    let mut slow: Vec<TcpStream> =
        (0..2).map(|_| TcpStream::connect(world.address()).unwrap()).collect();
    slow[1].write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    assert_eq!(world.send(&ask("GET", "/health/live")).status, 200);
    for mut stream in slow {
        let mut answered = Vec::new();
        drop(stream.read_to_end(&mut answered));
        assert!(answered.is_empty(), "{answered:?}");
    }
}

#[test]
fn the_line_that_is_printed_creates_under_tls() {
    if !has("curl", "the_line_that_is_printed_creates_under_tls") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let service = local(&folder.path().join("data"), &[]);
    let line = service.greeting.lines().find(|line| line.starts_with("curl")).unwrap();
    let (status, out, err) = run(std::process::Command::new("sh").args(["-c", line]));
    assert_eq!(status, 0, "{err}");
    assert!(out.starts_with("HTTP/2 201"), "{out}");
    assert!(out.contains(&format!("location: https://{}/v1.0/", service.address)), "{out}");
}
