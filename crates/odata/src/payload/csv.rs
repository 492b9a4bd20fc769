//! CSV, as Graph's download links give it.

pub mod write;
