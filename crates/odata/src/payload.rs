//! Bodies: what clients send and what they are sent.

pub mod json;
pub mod primitive;
