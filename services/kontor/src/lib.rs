//! The launcher: all services in one process on a Postgres that it finds and starts itself, and the operator's commands.
//!
//! The services speak to each other over gRPC here too, through real sockets: what is tried here is what runs in production.

pub mod cli;
mod client;
pub mod import;
mod place;
pub mod rotate_keys;
mod secrets;
pub mod up;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};
use futures_util::FutureExt;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.unwrap_or(Command::Up(cli.up)) {
        Command::Up(up) => kontor_runtime::run("kontor", |stop| up::run(up, stop).boxed()),
        Command::Import(import) => kontor_runtime::run("kontor-import", |stop| import::run(import, stop).boxed()),
        Command::RotateKeys(rotate) => {
            kontor_runtime::run("kontor-rotate-keys", |stop| rotate_keys::run(rotate, stop).boxed())
        }
    }
}

/// A line for whoever sits at the terminal, if anybody still reads. The log is something else, and goes to standard error.
pub(crate) fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
