//! Limits in the settings: what each may be, and what it is unless it is set.

use std::ops::RangeInclusive;
use std::time::Duration;

use rollcall_odata::plan::expression::pattern;
use rollcall_odata::uri::Limits as QueryLimits;

use super::Given;
use crate::app::Limits;

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

/// The most bytes that a body, or what is held of bodies and answers, may be given: a
/// TiB, or as many as an address can tell apart.
const MAX_BYTES: usize = if usize::BITS > 40 { 1 << 40 } else { usize::MAX };

/// The longest that a query or a batch may be given, an hour in milliseconds.
const MAX_TIME: usize = 3_600_000;

impl Given {
    /// The limits that count, each checked.
    pub(super) fn limits(&self) -> Result<Limits, String> {
        let defaults = Limits::default();
        let (query, query_time) = self.query(&defaults)?;
        let query_bytes = usize::try_from(defaults.query_bytes).unwrap_or(usize::MAX);
        let query_bytes =
            between("query-bytes", self.query_bytes, query_bytes, MIN_URL..=MAX_QUERY_BYTES)?;
        Ok(Limits {
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
            bulk_bytes: streamed("bulk-bytes", self.bulk_bytes, defaults.bulk_bytes)?,
            strict_bytes: streamed("strict-bytes", self.strict_bytes, defaults.strict_bytes)?,
            bulk_total_bytes: held(
                "bulk-total-bytes",
                self.bulk_total_bytes,
                defaults.bulk_total_bytes,
            )?,
            batch_parts: within(
                "batch-parts",
                self.batch_parts,
                defaults.batch_parts,
                MAX_BATCH_PARTS,
            )?,
            batch_bytes: streamed("batch-bytes", self.batch_bytes, defaults.batch_bytes)?,
            batch_answer_bytes: held(
                "batch-answer-bytes",
                self.batch_answer_bytes,
                defaults.batch_answer_bytes,
            )?,
            batch_total_bytes: held(
                "batch-total-bytes",
                self.batch_total_bytes,
                defaults.batch_total_bytes,
            )?,
            batch_time: time("batch-time", self.batch_time, defaults.batch_time)?,
            ..defaults
        })
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

/// Bytes of a body, at least one.
fn streamed(flag: &str, given: Option<usize>, default: u64) -> Result<u64, String> {
    let default = usize::try_from(default).unwrap_or(usize::MAX);
    held(flag, given, default).map(|bytes| bytes as u64)
}

/// Bytes in memory, at least one.
fn held(flag: &str, given: Option<usize>, default: usize) -> Result<usize, String> {
    within(flag, given, default, MAX_BYTES)
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

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::*;

    fn given(arguments: &[&str]) -> Given {
        let command = Given::augment_args(Command::new("serve").no_binary_name(true));
        Given::from_arg_matches(&command.get_matches_from(arguments)).unwrap()
    }

    fn settled(given: Given) -> Result<String, String> {
        given.settle().map(|config| format!("{:?}", config.limits))
    }

    /// What stands between these in a text, if they are there.
    fn inside<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
        Some(text.split_once(before)?.1.split_once(after)?.0)
    }

    /// A limit as it is told: its flag, its default, and the least and the most if they are said.
    type Told = (String, usize, Option<(usize, usize)>);

    /// The limits that the help has a default for.
    fn told() -> Vec<Told> {
        let command = Given::augment_args(Command::new("serve"));
        let limit = |argument: &clap::Arg| {
            let help = argument.get_help()?.to_string();
            let default = inside(&help, "[default: ", "]")?.parse().ok()?;
            let words: Vec<&str> = help.split([' ', ',', ':', ';', '.']).collect();
            let range = words.windows(3).find_map(|words| match words {
                [least, "to", most] => Some((least.parse().ok()?, most.parse().ok()?)),
                _ => None,
            });
            Some((argument.get_long()?.to_owned(), default, range))
        };
        command.get_arguments().filter_map(limit).collect()
    }

    #[test]
    fn the_help_says_what_holds() {
        let all = told();
        assert!(all.len() >= 20, "{all:?}");
        for (flag, default, range) in all {
            let with = |number: usize| settled(given(&[&format!("--{flag}"), &number.to_string()]));
            assert_eq!(with(default), settled(Given::default()), "{flag}");
            let Some((least, most)) = range else { continue };
            assert!(with(least).is_ok() && with(most).is_ok(), "{flag}");
            for beyond in [least - 1, most + 1] {
                let told = format!("--{flag} is {beyond}. Expected {least} to {most}.");
                assert_eq!(with(beyond), Err(told));
            }
        }
    }

    /// A number as people write it: `20`, `256 KiB`, `2^40`.
    fn number(text: &str) -> Option<usize> {
        if let Some(power) = text.strip_prefix("2^") {
            return Some(1 << power.parse::<u32>().ok()?);
        }
        let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
        let unit = match unit {
            "" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return None,
        };
        Some(number.parse::<usize>().ok()? * unit)
    }

    #[test]
    fn the_page_about_limits_says_what_holds() {
        let page = include_str!("../../../../docs/limits.md");
        let row = |line: &str| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let [_, _, flag, default, range, ..] = cells[..] else { return None };
            let flag = inside(flag, "`--", "`")?;
            let range = range.split_once(", ").map(|(least, most)| (number(least), number(most)));
            Some((flag.to_owned(), number(default)?, range))
        };
        let rows: Vec<_> = page.lines().filter_map(row).collect();
        for (flag, default, range) in told() {
            let row = rows.iter().find(|row| row.0 == flag).unwrap_or_else(|| panic!("{flag}"));
            assert_eq!(row.1, default, "{flag}");
            if let Some((least, most)) = range {
                assert_eq!(row.2, Some((Some(least), Some(most))), "{flag}");
            }
            for end in row.2.iter().flat_map(|(least, most)| [least, most]).flatten() {
                let at_it = given(&[&format!("--{flag}"), &end.to_string()]);
                assert!(settled(at_it).is_ok(), "{flag} {end}");
            }
        }
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
        for given in [
            Given { bulk_bytes: Some(0), ..Given::default() },
            Given { strict_bytes: Some(0), ..Given::default() },
            Given { bulk_total_bytes: Some(0), ..Given::default() },
            Given { batch_bytes: Some(0), ..Given::default() },
            Given { batch_answer_bytes: Some(0), ..Given::default() },
            Given { batch_total_bytes: Some(0), ..Given::default() },
        ] {
            assert!(
                given.settle().unwrap_err().ends_with("-bytes is 0. Expected 1 to 1099511627776.")
            );
        }
        let given = Given { strict_rows: Some(0), ..Given::default() };
        let refused = given.settle().unwrap_err();
        assert_eq!(refused, "--strict-rows is 0. Expected 1 to 5000000.");
    }
}
