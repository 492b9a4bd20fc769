//! The service from outside: real sockets, whole answers.

mod client;
mod names;
mod world;
