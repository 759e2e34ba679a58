//! `kontor`: all of Kontor in one process, and the operator's command line.

use std::process::ExitCode;

use clap::Parser;
use kontor::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        None => kontor_runtime::run("kontor", |stop| kontor::up::run(cli.up, stop)),
        Some(Command::Up(up)) => kontor_runtime::run("kontor", |stop| kontor::up::run(up, stop)),
        Some(Command::Import(import)) => kontor_runtime::run("kontor-import", |stop| kontor::import::run(import, stop)),
        Some(Command::RotateKeys(rotate)) => {
            kontor_runtime::run("kontor-rotate-keys", |stop| kontor::rotate_keys::run(rotate, stop))
        }
    }
}
