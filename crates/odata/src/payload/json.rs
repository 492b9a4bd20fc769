//! OData JSON, both ways.

pub mod read;
pub mod write;
