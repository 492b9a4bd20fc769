//! `rollcall token`: a bearer token of the built-in issuer, with or without a
//! service that runs.

use uuid::Uuid;

use super::arguments::{Data, print, tenant};
use crate::auth::issuer::{Grant, Holder, Issuer, Version};
use crate::clock::{Clock, SystemClock};

/// The longest that a token may hold, in days.
const MAX_DAYS: i64 = 365;

/// The arguments of `rollcall token`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: Data,
    /// The tenant whose data it is about; the first client's without it
    #[arg(long, value_name = "GUID", value_parser = tenant)]
    tenant: Option<Uuid>,
    /// A permission of an application, several times for several; the first client's without it
    #[arg(long = "role", value_name = "NAME", conflicts_with_all = ["scopes", "wids"])]
    roles: Vec<String>,
    /// A scope of a user, several times for several
    #[arg(long = "scope", value_name = "NAME")]
    scopes: Vec<String>,
    /// An admin role of that user, several times for several
    #[arg(long, value_name = "GUID", requires = "scopes")]
    wids: Vec<Uuid>,
    /// How long it holds: 90s, 15m, 1h or 7d, at most 365d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = seconds)]
    valid: i64,
    /// The shape of the token: 1.0, as Graph's own, or 2.0
    #[arg(long, value_name = "VERSION", default_value = "1.0", value_parser = version)]
    token_version: Version,
}

/// Prints the token alone.
pub fn run(args: &Args) -> Result<(), String> {
    let folder = args.data.folder()?;
    let issuer = Issuer::of(&folder).map_err(|error| error.to_string())?;
    let client = issuer.client();
    let holder = if !args.scopes.is_empty() {
        Holder::User { scopes: args.scopes.clone(), wids: args.wids.clone() }
    } else if args.roles.is_empty() {
        Holder::Application(client.roles.clone())
    } else {
        Holder::Application(args.roles.clone())
    };
    let grant = Grant {
        tenant: args.tenant.unwrap_or(client.tenant),
        client: client.client_id,
        holder,
        version: args.token_version,
        seconds: args.valid,
    };
    let token = issuer.mint(&grant, SystemClock::start().now());
    print(&format!("{token}\n"))
}

fn version(text: &str) -> Result<Version, String> {
    Version::named(text).ok_or_else(|| "expected 1.0 or 2.0".to_owned())
}

/// A number and its unit, in seconds.
fn seconds(text: &str) -> Result<i64, String> {
    let expected = || {
        format!("expected a number and its unit, such as 90s, 15m, 1h or 7d, at most {MAX_DAYS}d")
    };
    let unit = text.chars().last().and_then(|unit| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(60 * 60),
        'd' => Some(24 * 60 * 60),
        _ => None,
    });
    let unit: i64 = unit.ok_or_else(expected)?;
    let number = text[..text.len() - 1].parse::<u32>().map_err(|_| expected())?;
    let seconds = i64::from(number) * unit;
    let most = MAX_DAYS * 24 * 60 * 60;
    if (1..=most).contains(&seconds) { Ok(seconds) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, expected) in [("90s", 90), ("15m", 900), ("1h", 3600), ("365d", 31_536_000)] {
            assert_eq!(seconds(text), Ok(expected));
        }
        for text in ["", "s", "0s", "1", "-1h", "1.5h", "366d", "1w", "4294967296s", "１h"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
