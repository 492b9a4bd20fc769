//! Settings of `rollcall serve`: a flag counts before the environment, that
//! before the file, that before the default.

pub mod issuers;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use rollcall_odata::plan::expression::pattern;
use rollcall_odata::uri::Limits as QueryLimits;

use crate::app::Limits;
use crate::auth::remote::Trusted;
use crate::http::origin::{Network, Origin};
use crate::tls::Source;

/// Where the data is unless it is said: in the folder that the command runs in.
pub const DEFAULT_DATA: &str = "rollcall-data";

/// Where the service listens unless it is said.
const DEFAULT_LISTEN: &str = "127.0.0.1:8365";

/// The longest URL that can be allowed, in bytes: with as much for the headers
/// it is what the connection reads of a head. And the shortest: longer than any
/// address without a query.
const MAX_URL: usize = 32 * 1024;
const MIN_URL: usize = 512;

/// The most rows that can be stored all or not at all: some ten seconds in
/// which nobody else writes.
const MAX_STRICT_ROWS: usize = 5_000_000;

/// The largest page that can be asked for.
const MAX_PAGE_SIZE: usize = 10_000;

/// The most requests at once that a connection of HTTP/2 may be given.
const MAX_STREAMS: usize = 1000;

/// What SQLite can take: an expression is at most 1000 deep, a chain of
/// operators as deep as it is long, and a statement has at most 32766 values.
const MAX_QUERY_NODES: usize = 900;
const MAX_QUERY_DEPTH: usize = 100;
const MAX_QUERY_LIST: usize = 20_000;
const MAX_QUERY_KEYS: usize = 32;

/// How many selects SQLite takes within one another and side by side.
const MAX_QUERY_TRANSFORMATIONS: usize = 100;

/// The most memory that a pattern may be given, in bytes.
const MAX_QUERY_PATTERN: usize = pattern::LARGEST;

/// The largest query in a body that can be allowed, in bytes: it is held in memory.
const MAX_QUERY_BYTES: usize = 4 * 1024 * 1024;

/// The most requests that a batch may be given: as many as old services take.
const MAX_BATCH_PARTS: usize = 1000;

/// The longest that a query or a batch may be given, an hour in milliseconds.
const MAX_TIME: usize = 3_600_000;

/// The settings as they are given; each may be absent.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Given {
    /// The folder that keeps everything; made on first start [default: rollcall-data]
    #[arg(long, env = "ROLLCALL_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The address and port to listen on [default: 127.0.0.1:8365]
    #[arg(long, env = "ROLLCALL_LISTEN", value_name = "ADDR:PORT")]
    pub listen: Option<String>,
    /// Scheme, host and port as clients know them; without it each request decides, by its Host
    /// header and by whether it came under TLS
    #[arg(long, env = "ROLLCALL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Addresses and networks (10.0.0.0/8) of the proxies in front of the service, separated by
    /// commas: theirs X-Forwarded-Proto and X-Forwarded-Host count, of others they are ignored
    #[arg(long, env = "ROLLCALL_TRUSTED_PROXIES", value_name = "ADDR", value_delimiter = ',')]
    pub trusted_proxies: Option<Vec<String>>,
    /// Speak TLS with this certificate: PEM, those of its issuers after it; read again when it
    /// changes
    #[arg(long, env = "ROLLCALL_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert: PEM, not encrypted
    #[arg(long, env = "ROLLCALL_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Speak TLS with a certificate of an authority that is made in the data folder, and say how
    /// clients trust it
    #[arg(long, env = "ROLLCALL_TLS_LOCAL", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub tls_local: Option<bool>,
    /// The longest URL of a request, 512 to 32768 bytes [default: 8192]
    #[arg(long, env = "ROLLCALL_URL_BYTES", value_name = "BYTES")]
    pub url_bytes: Option<usize>,
    /// The most rows of a page, 1 to 10000 [default: 200]
    #[arg(long, env = "ROLLCALL_PAGE_SIZE", value_name = "ROWS")]
    pub page_size: Option<usize>,
    /// The most operators, functions and operands of a query option, 1 to 900 [default: 500]
    #[arg(long, env = "ROLLCALL_QUERY_NODES", value_name = "COUNT")]
    pub query_nodes: Option<usize>,
    /// How deep they may be nested, 1 to 100 [default: 64]
    #[arg(long, env = "ROLLCALL_QUERY_DEPTH", value_name = "COUNT")]
    pub query_depth: Option<usize>,
    /// The most items of the lists after `in`, 1 to 20000 [default: 1000]
    #[arg(long, env = "ROLLCALL_QUERY_LIST", value_name = "COUNT")]
    pub query_list: Option<usize>,
    /// The most keys of $orderby, 1 to 32 [default: 16]
    #[arg(long, env = "ROLLCALL_QUERY_KEYS", value_name = "COUNT")]
    pub query_keys: Option<usize>,
    /// The most bytes that a pattern of matchesPattern may take once it is compiled, 1 to 16777216
    /// [default: 1048576]
    #[arg(long, env = "ROLLCALL_QUERY_PATTERN", value_name = "BYTES")]
    pub query_pattern: Option<usize>,
    /// The most transformations of $apply, 1 to 100 [default: 50]
    #[arg(long, env = "ROLLCALL_QUERY_TRANSFORMATIONS", value_name = "COUNT")]
    pub query_transformations: Option<usize>,
    /// The largest query in the body of a $query, 512 to 4194304 bytes, gunzipped
    /// [default: 262144]
    #[arg(long, env = "ROLLCALL_QUERY_BYTES", value_name = "BYTES")]
    pub query_bytes: Option<usize>,
    /// How many milliseconds a query may take, 1 to 3600000 [default: 10000]
    #[arg(long, env = "ROLLCALL_QUERY_TIME", value_name = "MILLISECONDS")]
    pub query_time: Option<usize>,
    /// The most connections at once [default: 1024]
    #[arg(long, env = "ROLLCALL_CONNECTIONS", value_name = "COUNT")]
    pub connections: Option<usize>,
    /// The most requests at once on one connection of HTTP/2, 1 to 1000 [default: 32]
    #[arg(long, env = "ROLLCALL_STREAMS", value_name = "COUNT")]
    pub streams: Option<usize>,
    /// The largest body of many rows (text/csv, application/x-ndjson), gunzipped
    /// [default: 1073741824]
    #[arg(long, env = "ROLLCALL_BULK_BYTES", value_name = "BYTES")]
    pub bulk_bytes: Option<u64>,
    /// The same where all rows are to be stored or none, which holds them in memory
    /// [default: 16777216]
    #[arg(long, env = "ROLLCALL_STRICT_BYTES", value_name = "BYTES")]
    pub strict_bytes: Option<u64>,
    /// The most rows of such a body, 1 to 5000000: nobody else writes while they are written
    /// [default: 50000]
    #[arg(long, env = "ROLLCALL_STRICT_ROWS", value_name = "ROWS")]
    pub strict_rows: Option<usize>,
    /// The most requests of a batch, 1 to 1000 [default: 20]
    #[arg(long, env = "ROLLCALL_BATCH_PARTS", value_name = "COUNT")]
    pub batch_parts: Option<usize>,
    /// The largest batch, gunzipped; it is held in memory [default: 1048576]
    #[arg(long, env = "ROLLCALL_BATCH_BYTES", value_name = "BYTES")]
    pub batch_bytes: Option<u64>,
    /// How large the answers to a batch may grow before its reads are refused [default: 16777216]
    #[arg(long, env = "ROLLCALL_BATCH_ANSWER_BYTES", value_name = "BYTES")]
    pub batch_answer_bytes: Option<usize>,
    /// How large the answers to all batches at once may grow before reads are refused
    /// [default: 268435456]
    #[arg(long, env = "ROLLCALL_BATCH_TOTAL_BYTES", value_name = "BYTES")]
    pub batch_total_bytes: Option<usize>,
    /// How many milliseconds a batch may take to begin with its requests, 1 to 3600000
    /// [default: 60000]
    #[arg(long, env = "ROLLCALL_BATCH_TIME", value_name = "MILLISECONDS")]
    pub batch_time: Option<usize>,
    /// Without TLS, listen on an address that other machines reach, though tokens and the secrets
    /// of the built-in issuer then cross the network unencrypted
    #[arg(long, env = "ROLLCALL_ALLOW_REMOTE", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub allow_remote: Option<bool>,
    /// An issuer whose tokens are taken as well, its settings as the settings file has them, on one
    /// line with commas between them; given several times, or a line each in the environment
    #[arg(long = "issuer", env = "ROLLCALL_ISSUER", value_delimiter = '\n', value_parser = issuers::parse, value_name = "SETTINGS")]
    pub issuer: Vec<issuers::Given>,
}

/// The settings that count.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// What absolute URLs begin with.
    pub origin: Origin,
    /// Where the certificate comes from, if TLS is spoken.
    pub tls: Option<Source>,
    /// See [`Limits`].
    pub limits: Limits,
    /// The issuers whose tokens are taken, besides the built-in one.
    pub issuers: Vec<Trusted>,
}

impl Given {
    /// The settings of a TOML file; its names are those of the flags.
    pub fn from_file(file: &Path) -> Result<Self, String> {
        let shown = file.display();
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("The settings file {shown} cannot be read: {error}."))?;
        toml::from_str(&text)
            .map_err(|error| format!("The settings file {shown} is wrong: {error}"))
    }

    /// These settings, those of `other` where one is absent here.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            listen: self.listen.or(other.listen),
            public_url: self.public_url.or(other.public_url),
            trusted_proxies: self.trusted_proxies.or(other.trusted_proxies),
            tls_cert: self.tls_cert.or(other.tls_cert),
            tls_key: self.tls_key.or(other.tls_key),
            tls_local: self.tls_local.or(other.tls_local),
            url_bytes: self.url_bytes.or(other.url_bytes),
            page_size: self.page_size.or(other.page_size),
            query_nodes: self.query_nodes.or(other.query_nodes),
            query_depth: self.query_depth.or(other.query_depth),
            query_list: self.query_list.or(other.query_list),
            query_keys: self.query_keys.or(other.query_keys),
            query_pattern: self.query_pattern.or(other.query_pattern),
            query_transformations: self.query_transformations.or(other.query_transformations),
            query_bytes: self.query_bytes.or(other.query_bytes),
            query_time: self.query_time.or(other.query_time),
            connections: self.connections.or(other.connections),
            streams: self.streams.or(other.streams),
            bulk_bytes: self.bulk_bytes.or(other.bulk_bytes),
            strict_bytes: self.strict_bytes.or(other.strict_bytes),
            strict_rows: self.strict_rows.or(other.strict_rows),
            batch_parts: self.batch_parts.or(other.batch_parts),
            batch_bytes: self.batch_bytes.or(other.batch_bytes),
            batch_answer_bytes: self.batch_answer_bytes.or(other.batch_answer_bytes),
            batch_total_bytes: self.batch_total_bytes.or(other.batch_total_bytes),
            batch_time: self.batch_time.or(other.batch_time),
            allow_remote: self.allow_remote.or(other.allow_remote),
            issuer: if self.issuer.is_empty() { other.issuer } else { self.issuer },
        }
    }

    /// The settings that count, defaults filled in and each checked.
    pub fn settle(self) -> Result<Config, String> {
        let origin = self.origin()?;
        let tls = self.tls(origin.public_url.as_deref())?;
        let listen = self.listen(tls.is_some())?;
        let defaults = Limits::default();
        let (query, query_time) = self.query(&defaults)?;
        let query_bytes = usize::try_from(defaults.query_bytes).unwrap_or(usize::MAX);
        let query_bytes =
            between("query-bytes", self.query_bytes, query_bytes, MIN_URL..=MAX_QUERY_BYTES)?;
        let limits = Limits {
            query,
            query_bytes: query_bytes as u64,
            query_time,
            url_bytes: between("url-bytes", self.url_bytes, defaults.url_bytes, MIN_URL..=MAX_URL)?,
            page_size: within("page-size", self.page_size, defaults.page_size, MAX_PAGE_SIZE)?,
            connections: within(
                "connections",
                self.connections,
                defaults.connections,
                tokio::sync::Semaphore::MAX_PERMITS,
            )?,
            streams: self.streams(&defaults)?,
            strict_rows: within(
                "strict-rows",
                self.strict_rows,
                defaults.strict_rows,
                MAX_STRICT_ROWS,
            )?,
            bulk_bytes: self.bulk_bytes.unwrap_or(defaults.bulk_bytes),
            strict_bytes: self.strict_bytes.unwrap_or(defaults.strict_bytes),
            batch_parts: within(
                "batch-parts",
                self.batch_parts,
                defaults.batch_parts,
                MAX_BATCH_PARTS,
            )?,
            batch_bytes: self.batch_bytes.unwrap_or(defaults.batch_bytes),
            batch_answer_bytes: self.batch_answer_bytes.unwrap_or(defaults.batch_answer_bytes),
            batch_total_bytes: self.batch_total_bytes.unwrap_or(defaults.batch_total_bytes),
            batch_time: time("batch-time", self.batch_time, defaults.batch_time)?,
            ..defaults
        };
        let issuers = issuers::settle(self.issuer)?;
        let data = self.data.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA));
        Ok(Config { data, listen, origin, tls, limits, issuers })
    }
}

impl Given {
    fn listen(&self, secured: bool) -> Result<SocketAddr, String> {
        let listen = self.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
        let listen: SocketAddr = listen.parse().map_err(|_| {
            format!("--listen is '{listen}'. Expected an IP address and a port: {DEFAULT_LISTEN}.")
        })?;
        if listen.ip().is_loopback() || secured || self.allow_remote.unwrap_or(false) {
            return Ok(listen);
        }
        Err(format!(
            "--listen is {listen}, which other machines reach, and without TLS tokens and the \
             built-in issuer's secrets would cross the network unencrypted. Expected a loopback \
             address such as {DEFAULT_LISTEN}, or TLS (--tls-cert and --tls-key, or --tls-local), \
             or --allow-remote as well."
        ))
    }

    fn origin(&self) -> Result<Origin, String> {
        let public_url = self.public_url.as_deref().map(public_url).transpose()?;
        let proxies = self.trusted_proxies.iter().flatten().map(|one| one.trim().parse());
        let proxies: Result<Vec<Network>, String> = proxies.collect();
        let proxies = proxies.map_err(|error| format!("--trusted-proxies: {error}."))?;
        Ok(Origin { public_url, proxies })
    }

    fn tls(&self, public_url: Option<&str>) -> Result<Option<Source>, String> {
        let local = self.tls_local.unwrap_or(false);
        match (&self.tls_cert, &self.tls_key) {
            (None, None) if local => {
                Ok(Some(Source::Local { host: public_url.map(host).map(str::to_owned) }))
            }
            (None, None) => Ok(None),
            (Some(_), Some(_)) if local => Err("--tls-local makes a certificate, and --tls-cert \
                                                names another. Expected one of them."
                .to_owned()),
            (Some(certificate), Some(key)) => {
                Ok(Some(Source::Files { certificate: certificate.clone(), key: key.clone() }))
            }
            (Some(_), None) => {
                Err("--tls-cert is given without --tls-key. Expected both.".to_owned())
            }
            (None, Some(_)) => {
                Err("--tls-key is given without --tls-cert. Expected both.".to_owned())
            }
        }
    }

    fn streams(&self, defaults: &Limits) -> Result<u32, String> {
        let default = usize::try_from(defaults.streams).unwrap_or(MAX_STREAMS);
        let streams = within("streams", self.streams, default, MAX_STREAMS)?;
        Ok(u32::try_from(streams).unwrap_or(defaults.streams))
    }

    /// How large a query may be, and how long it may take.
    fn query(&self, defaults: &Limits) -> Result<(QueryLimits, Duration), String> {
        let QueryLimits { nodes, depth, list, keys, pattern, transformations } = defaults.query;
        let limits = QueryLimits {
            nodes: within("query-nodes", self.query_nodes, nodes, MAX_QUERY_NODES)?,
            depth: within("query-depth", self.query_depth, depth, MAX_QUERY_DEPTH)?,
            list: within("query-list", self.query_list, list, MAX_QUERY_LIST)?,
            keys: within("query-keys", self.query_keys, keys, MAX_QUERY_KEYS)?,
            pattern: within("query-pattern", self.query_pattern, pattern, MAX_QUERY_PATTERN)?,
            transformations: within(
                "query-transformations",
                self.query_transformations,
                transformations,
                MAX_QUERY_TRANSFORMATIONS,
            )?,
        };
        Ok((limits, time("query-time", self.query_time, defaults.query_time)?))
    }
}

fn time(flag: &str, given: Option<usize>, default: Duration) -> Result<Duration, String> {
    let default = usize::try_from(default.as_millis()).unwrap_or(usize::MAX);
    let millis = within(flag, given, default, MAX_TIME)?;
    Ok(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
}

fn within(flag: &str, given: Option<usize>, default: usize, most: usize) -> Result<usize, String> {
    between(flag, given, default, 1..=most)
}

fn between(
    flag: &str,
    given: Option<usize>,
    default: usize,
    range: RangeInclusive<usize>,
) -> Result<usize, String> {
    let number = given.unwrap_or(default);
    if range.contains(&number) {
        return Ok(number);
    }
    Err(format!("--{flag} is {number}. Expected {} to {}.", range.start(), range.end()))
}

fn public_url(url: &str) -> Result<String, String> {
    let base = url.trim_end_matches('/');
    let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    let plain = |host: &str| {
        !host.is_empty()
            && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>?#@".contains(&byte))
    };
    if host.is_some_and(plain) {
        return Ok(base.to_owned());
    }
    Err(format!(
        "--public-url is '{url}'. Expected http:// or https://, a host, and a port if any."
    ))
}

/// The host of a URL that is one, without its port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.split_once(']') {
        Some((address, _)) => address.trim_start_matches('['),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(listen: &str) -> Given {
        Given { listen: Some(listen.to_owned()), ..Given::default() }
    }

    #[test]
    fn defaults_are_loopback() {
        let config = Given::default().settle().unwrap();
        assert_eq!(config.listen.to_string(), DEFAULT_LISTEN);
        assert_eq!(config.data, Path::new(DEFAULT_DATA));
    }

    #[test]
    fn other_machines_only_when_told_so() {
        assert!(given("0.0.0.0:8365").settle().unwrap_err().contains("--allow-remote"));
        let told = Given { allow_remote: Some(true), ..given("0.0.0.0:8365") };
        assert_eq!(told.settle().unwrap().listen.port(), 8365);
        assert!(given("[::1]:0").settle().is_ok());
        assert!(given("localhost").settle().unwrap_err().contains("'localhost'"));
    }

    #[test]
    fn what_is_given_first_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rollcall.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\npage-size = 7\n").unwrap();
        let config = given("127.0.0.1:2").or(Given::from_file(&file).unwrap()).settle().unwrap();
        assert_eq!((config.listen.port(), config.limits.page_size), (2, 7));
        std::fs::write(&file, "pagesize = 7\n").unwrap();
        assert!(Given::from_file(&file).unwrap_err().contains("unknown field `pagesize`"));
    }

    #[test]
    fn limits_have_limits() {
        for (page_size, good) in [(0, false), (1, true), (10_000, true), (10_001, false)] {
            let given = Given { page_size: Some(page_size), ..Given::default() };
            assert_eq!(given.settle().is_ok(), good, "{page_size}");
        }
        for (url_bytes, good) in [(511, false), (512, true), (32_768, true), (32_769, false)] {
            let given = Given { url_bytes: Some(url_bytes), ..Given::default() };
            assert_eq!(given.settle().is_ok(), good, "{url_bytes}");
        }
        let given = Given { strict_rows: Some(0), ..Given::default() };
        let refused = given.settle().unwrap_err();
        assert_eq!(refused, "--strict-rows is 0. Expected 1 to 5000000.");
    }

    #[test]
    fn tls_comes_from_one_place() {
        let (cert, key) = (Some(PathBuf::from("c")), Some(PathBuf::from("k")));
        let tls = |tls_cert: &Option<PathBuf>, tls_key: &Option<PathBuf>, local| {
            let (tls_cert, tls_key) = (tls_cert.clone(), tls_key.clone());
            Given { tls_cert, tls_key, tls_local: Some(local), ..given("0.0.0.0:1") }.settle()
        };
        let files = Source::Files { certificate: "c".into(), key: "k".into() };
        assert_eq!(tls(&cert, &key, false).unwrap().tls, Some(files));
        assert_eq!(tls(&None, &None, true).unwrap().tls, Some(Source::Local { host: None }));
        for (cert, key, local) in [(&cert, &None, false), (&None, &key, true), (&cert, &key, true)]
        {
            assert!(tls(cert, key, local).unwrap_err().contains("Expected"), "{cert:?} {key:?}");
        }
        assert!(tls(&None, &None, false).unwrap_err().contains("--allow-remote"));
    }

    #[test]
    fn hosts_of_urls() {
        for (url, expected) in [
            ("https://rollcall.example", "rollcall.example"),
            ("https://rollcall.example:8443", "rollcall.example"),
            ("https://[fd00::1]:8443", "fd00::1"),
            ("http://10.0.0.7/x:1", "10.0.0.7"),
        ] {
            assert_eq!(host(url), expected);
        }
    }

    #[test]
    fn proxies_are_addresses_and_networks() {
        let proxies = |text: &str| {
            let proxies = text.split(',').map(str::to_owned).collect();
            Given { trusted_proxies: Some(proxies), ..Given::default() }.settle()
        };
        assert_eq!(proxies("10.0.0.7, fd00::/8").unwrap().origin.proxies.len(), 2);
        assert!(proxies("10.0.0.7,nginx").unwrap_err().starts_with("--trusted-proxies: 'nginx'"));
    }

    #[test]
    fn public_urls() {
        let settled = |url: &str| public_url(url);
        assert_eq!(settled("https://rollcall.example/").unwrap(), "https://rollcall.example");
        for bad in ["rollcall.example", "ftp://x", "https://", "https://a b", "https://u@x"] {
            assert!(settled(bad).is_err(), "{bad}");
        }
    }
}
