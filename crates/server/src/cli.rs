//! The command line.

mod access;
mod arguments;
pub mod backup;
pub mod check;
pub mod client;
pub mod demo;
pub mod export;
pub mod import;
pub mod key;
pub mod serve;
pub mod signing_key;
pub mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Accepts, keeps and serves Microsoft 365 usage reports in Microsoft Graph's contract.
#[derive(Parser)]
#[command(name = "rollcall", version = version(), propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the folder of data over HTTP
    Serve(Box<serve::Args>),
    /// Print a bearer token of the built-in issuer
    Token(token::Args),
    /// Print the first client's tenant, id and secret, or change who gets tokens
    Client(client::Args),
    /// Keep API keys, for tools that cannot fetch tokens
    Key(key::Args),
    /// Change the key that signs tokens
    SigningKey(signing_key::Args),
    /// Print a tenant's rows, as CSV or a JSON object on each line
    Export(export::Args),
    /// Fill tenants with organisations that are made up
    Demo(demo::Args),
    /// Take in files of rows: CSV as Graph and the admin centre hand it out, or JSON lines
    Import(import::Args),
    /// Copy the data, consistent, while the service runs
    Backup(backup::Args),
    /// Check that the data is whole
    Check(check::Args),
}

const fn version() -> &'static str {
    if cfg!(rollcall_bench) {
        concat!(env!("CARGO_PKG_VERSION"), " (null engine, for benches only)")
    } else {
        env!("CARGO_PKG_VERSION")
    }
}

/// Runs the command line: 0 when all went well, 1 after an error on standard
/// error, 2 when the arguments were wrong.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(*args),
        Command::Token(args) => token::run(&args),
        Command::Client(args) => client::run(&args),
        Command::Key(args) => key::run(&args),
        Command::SigningKey(args) => signing_key::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Check(args) => check::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Standard error may be closed; the exit code says it too.
            drop(std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("rollcall: {message}\n"),
            ));
            ExitCode::FAILURE
        }
    }
}
