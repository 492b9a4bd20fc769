//! Which version of the protocol a client speaks, and what it asks of it.

use crate::error::{Code, Error};

/// The lowest version that is served, as major and minor number.
const LOWEST: (u32, u32) = (4, 0);

/// The highest version that is understood.
const HIGHEST: (u32, u32) = (4, 1);

/// What the version headers say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Protocol {
    /// Whether the body is one of 4.01, where an entity tag in it must hold.
    pub body_is_4_01: bool,
}

impl Protocol {
    /// From `OData-MaxVersion`, `OData-Version` and `Isolation` (or
    /// `OData-Isolation`), each `None` where it is absent.
    ///
    /// Every answer is of version 4.0: whoever takes a higher one takes that.
    pub fn of(
        most: Option<&str>,
        body: Option<&str>,
        isolation: Option<&str>,
    ) -> Result<Self, Error> {
        if let Some(text) = most {
            let version = version("OData-MaxVersion", text)?;
            if version < LOWEST {
                return Err(unserved("OData-MaxVersion", text));
            }
        }
        if isolation.is_some_and(|level| level.trim().eq_ignore_ascii_case("snapshot")) {
            let message = "Snapshot isolation over several requests cannot be had here.";
            return Err(Error::new(Code::PreconditionFailed, message).about("Isolation"));
        }
        let body = body.map(|text| Ok((version("OData-Version", text)?, text))).transpose()?;
        match body {
            Some((version, text)) if !(LOWEST..=HIGHEST).contains(&version) => {
                Err(unserved("OData-Version", text))
            }
            body => Ok(Self { body_is_4_01: body.is_some_and(|(version, _)| version == HIGHEST) }),
        }
    }
}

/// `4.0` as (4, 0), `4.01` as (4, 1): the minor number counts without its zeros.
fn version(header: &str, text: &str) -> Result<(u32, u32), Error> {
    let number =
        |part: &str| part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
    let parts = text.trim().split_once('.');
    let version = parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?)));
    version.ok_or_else(|| {
        let message = format!("The {header} '{text}' is no version. Expected 4.0 or 4.01.");
        Error::bad_request(message).about(header)
    })
}

fn unserved(header: &str, text: &str) -> Error {
    let message = format!("The {header} '{text}' is not served. Expected 4.0 or 4.01.");
    Error::bad_request(message).about(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        let most = |text: &str| Protocol::of(Some(text), None, None).map_err(|error| error.code);
        for good in ["4.0", "4.01", " 4.0 ", "4.02", "5.0", "10.0"] {
            assert!(most(good).is_ok(), "{good}");
        }
        for bad in ["3.0", "4", "", "four", "4.0.0", "+4.0", "4.-1", "-4.0", "99999999999.0"] {
            assert_eq!(most(bad), Err(Code::BadRequest), "{bad}");
        }
        let body = |text: &str| Protocol::of(None, Some(text), None).map(|one| one.body_is_4_01);
        assert_eq!((body("4.0").unwrap(), body("4.01").unwrap()), (false, true));
        assert!(body("3.0").is_err() && body("4.02").is_err() && body("x").is_err());
        assert!(!Protocol::of(None, None, None).unwrap().body_is_4_01);
    }

    #[test]
    fn isolation() {
        let isolation = |text: &str| Protocol::of(None, None, Some(text)).map_err(|one| one.code);
        assert_eq!(isolation("Snapshot"), Err(Code::PreconditionFailed));
        assert!(isolation("none").is_ok());
    }
}
