//! Rollcall's protocol: requests and answers of an OData service in Graph's
//! manner, from bytes to plans and from rows to bytes.
//!
//! Everything here is pure. There is no input or output, no clock, no
//! randomness, no SQL; what depends on them is handed in.

pub mod catalog;
pub mod edm;
pub mod error;
pub mod headers;
pub mod payload;
pub mod plan;
pub mod uri;
pub mod value;

pub use error::{Code, Detail, Error, Fault};
pub use value::{Decimal, Double, Period, Row, Value};
