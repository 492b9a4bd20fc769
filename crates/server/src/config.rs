//! Settings of `rollcall serve`: a flag counts before the environment, that
//! before the file, that before the default.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;

use rollcall_odata::plan::expression::pattern;
use rollcall_odata::uri::Limits as QueryLimits;

use crate::app::Limits;

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

/// The longest that a query may be given, an hour in milliseconds.
const MAX_QUERY_TIME: usize = 3_600_000;

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
    /// Scheme, host and port as clients know them; without it each request's Host header decides
    #[arg(long, env = "ROLLCALL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
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
    /// Listen on an address that other machines reach, though the built-in issuer's tokens and
    /// secrets then cross the network unencrypted
    #[arg(long, env = "ROLLCALL_ALLOW_REMOTE", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub allow_remote: Option<bool>,
}

/// The settings that count.
#[derive(Debug, Clone)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// See [`crate::app::App::public_url`].
    pub public_url: Option<String>,
    /// See [`Limits`].
    pub limits: Limits,
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
            bulk_bytes: self.bulk_bytes.or(other.bulk_bytes),
            strict_bytes: self.strict_bytes.or(other.strict_bytes),
            strict_rows: self.strict_rows.or(other.strict_rows),
            batch_parts: self.batch_parts.or(other.batch_parts),
            batch_bytes: self.batch_bytes.or(other.batch_bytes),
            batch_answer_bytes: self.batch_answer_bytes.or(other.batch_answer_bytes),
            allow_remote: self.allow_remote.or(other.allow_remote),
        }
    }

    /// The settings that count, defaults filled in and each checked.
    pub fn settle(self) -> Result<Config, String> {
        let listen = self.listen.as_deref().unwrap_or(DEFAULT_LISTEN);
        let listen: SocketAddr = listen.parse().map_err(|_| {
            format!("--listen is '{listen}'. Expected an IP address and a port: {DEFAULT_LISTEN}.")
        })?;
        if !listen.ip().is_loopback() && !self.allow_remote.unwrap_or(false) {
            return Err(format!(
                "--listen is {listen}, which other machines reach, and the built-in issuer is for \
                 this machine: its tokens and secrets would cross the network unencrypted. Expected \
                 a loopback address such as {DEFAULT_LISTEN}, or --allow-remote as well."
            ));
        }
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
            ..defaults
        };
        let public_url = self.public_url.map(|url| public_url(&url)).transpose()?;
        let data = self.data.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA));
        Ok(Config { data, listen, public_url, limits })
    }
}

impl Given {
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
        let time = usize::try_from(defaults.query_time.as_millis()).unwrap_or(usize::MAX);
        let time = within("query-time", self.query_time, time, MAX_QUERY_TIME)?;
        Ok((limits, Duration::from_millis(u64::try_from(time).unwrap_or(u64::MAX))))
    }
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
    fn public_urls() {
        let settled = |url: &str| public_url(url);
        assert_eq!(settled("https://rollcall.example/").unwrap(), "https://rollcall.example");
        for bad in ["rollcall.example", "ftp://x", "https://", "https://a b", "https://u@x"] {
            assert!(settled(bad).is_err(), "{bad}");
        }
    }
}
