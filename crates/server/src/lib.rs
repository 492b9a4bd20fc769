//! Rollcall, the service: sockets, tokens, the clock, files and the command line
//! around [`rollcall_odata`] and [`rollcall_store`].

pub mod access;
pub mod app;
pub mod auth;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod folder;
pub mod http;
pub mod import;
pub mod observe;
pub mod running;
pub mod sample;
pub mod tally;
pub mod tls;
