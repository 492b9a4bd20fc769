//! Bodies: what clients send and what they are sent.

pub mod batch;
pub mod csdl;
pub mod csv;
pub mod json;
pub mod openapi;
mod part;
pub mod primitive;
pub mod service;

pub use part::Part;
