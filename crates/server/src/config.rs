//! Settings of `rollcall serve`: a flag counts before the environment, that
//! before the file, that before the default.

pub mod issuers;
mod limits;
mod network;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Deserialize;

use crate::app::Limits;
use crate::auth::remote::Trusted;
use crate::http::origin::Origin;
use crate::tls::Source;

/// Where the data is unless it is said: in the folder that the command runs in.
pub const DEFAULT_DATA: &str = "rollcall-data";

/// Where the service listens unless it is said.
const DEFAULT_LISTEN: &str = "127.0.0.1:8365";

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
    pub bulk_bytes: Option<usize>,
    /// The same where all rows are to be stored or none, which holds them in memory
    /// [default: 16777216]
    #[arg(long, env = "ROLLCALL_STRICT_BYTES", value_name = "BYTES")]
    pub strict_bytes: Option<usize>,
    /// The most rows of such a body, 1 to 5000000: nobody else writes while they are written
    /// [default: 50000]
    #[arg(long, env = "ROLLCALL_STRICT_ROWS", value_name = "ROWS")]
    pub strict_rows: Option<usize>,
    /// How much memory the rows of all bodies may take until they are stored; a tenant has
    /// three quarters of what others leave [default: 268435456]
    #[arg(long, env = "ROLLCALL_BULK_TOTAL_BYTES", value_name = "BYTES")]
    pub bulk_total_bytes: Option<usize>,
    /// The most requests of a batch, 1 to 1000 [default: 20]
    #[arg(long, env = "ROLLCALL_BATCH_PARTS", value_name = "COUNT")]
    pub batch_parts: Option<usize>,
    /// The largest batch, gunzipped; it is held in memory [default: 1048576]
    #[arg(long, env = "ROLLCALL_BATCH_BYTES", value_name = "BYTES")]
    pub batch_bytes: Option<usize>,
    /// How large the answers to a batch may grow before its reads are refused [default: 16777216]
    #[arg(long, env = "ROLLCALL_BATCH_ANSWER_BYTES", value_name = "BYTES")]
    pub batch_answer_bytes: Option<usize>,
    /// How large the answers to all batches at once may grow before reads are refused; a
    /// tenant has three quarters of what others leave [default: 268435456]
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
    /// Answer a report function no more often than Graph does: 14 requests for CSV and 100 for JSON
    /// in ten minutes of an application in a tenant, 40 for CSV of a tenant; more are 429
    #[arg(long, env = "ROLLCALL_GRAPH_LIMITS", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub graph_limits: Option<bool>,
    /// For tests, on a loopback address alone: set and stop the clock, break requests, take away a
    /// tenant's data, and read Graph's placeholders as values
    #[arg(long, env = "ROLLCALL_TEST_CONTROLS", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub test_controls: Option<bool>,
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
    /// Whether Graph's limits are applied.
    pub graph_limits: bool,
    /// Whether there are test controls.
    pub test_controls: bool,
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
            bulk_total_bytes: self.bulk_total_bytes.or(other.bulk_total_bytes),
            batch_bytes: self.batch_bytes.or(other.batch_bytes),
            batch_answer_bytes: self.batch_answer_bytes.or(other.batch_answer_bytes),
            batch_total_bytes: self.batch_total_bytes.or(other.batch_total_bytes),
            batch_time: self.batch_time.or(other.batch_time),
            allow_remote: self.allow_remote.or(other.allow_remote),
            graph_limits: self.graph_limits.or(other.graph_limits),
            test_controls: self.test_controls.or(other.test_controls),
            issuer: if self.issuer.is_empty() { other.issuer } else { self.issuer },
        }
    }

    /// The settings that count, defaults filled in and each checked.
    pub fn settle(self) -> Result<Config, String> {
        let origin = self.origin()?;
        let tls = self.tls(origin.public_url.as_deref())?;
        let listen = self.listen(tls.is_some())?;
        let limits = self.limits()?;
        let graph_limits = self.graph_limits.unwrap_or(false);
        let test_controls = self.test_controls(listen)?;
        let issuers = issuers::settle(self.issuer)?;
        let data = self.data.unwrap_or_else(|| PathBuf::from(DEFAULT_DATA));
        Ok(Config { data, listen, origin, tls, limits, graph_limits, test_controls, issuers })
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
    fn every_setting_may_come_from_elsewhere() {
        let command = Given::augment_args(clap::Command::new("serve").no_binary_name(true));
        let each = |argument: &clap::Arg| {
            let kind = argument.get_value_names().and_then(|names| Some(names.first()?.as_str()));
            let value = match kind.unwrap_or_default() {
                "BOOL" => "true",
                "SETTINGS" => "url = \"https://a.example\", tenants = \"all\", audience = \"a\"",
                _ => "7",
            };
            argument.get_long().map(|flag| format!("--{flag}={value}"))
        };
        let arguments: Vec<String> = command.get_arguments().filter_map(each).collect();
        let matches = command.get_matches_from(arguments);
        let all = <Given as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
        let shown = format!("{all:#?}");
        let missing =
            shown.lines().filter(|line| line.starts_with("    ") && line.ends_with(": None,"));
        assert_eq!(missing.filter(|line| !line.starts_with("     ")).count(), 0, "{shown}");
        assert_eq!(format!("{:#?}", Given::default().or(all)), shown);
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
}
