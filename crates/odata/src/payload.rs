//! Bodies: what clients send and what they are sent.

pub mod csdl;
pub mod csv;
pub mod json;
pub mod openapi;
pub mod primitive;
pub mod service;
