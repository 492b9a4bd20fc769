//! OData JSON, both ways.

pub mod lines;
pub mod read;
pub mod write;
