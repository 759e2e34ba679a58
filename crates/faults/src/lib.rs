//! The fault test: Kontor never oversells, never charges twice and never loses an accepted order, whatever happens to its
//! processes, its database and the network between them; and this test can fail.
//!
//! Everything is real: the services as processes, a Postgres with durable settings, sockets. [`cluster`] runs them, behind proxies;
//! [`load`] buys, cancels and refunds, and remembers every answer; [`nemesis`] kills, freezes, cuts and stops; [`watch`] follows the
//! events. When all of them are done, [`check`] compares what was answered with what is there, and [`report`] tells.
//!
//! The processes are this same program, built with the services' failpoints: see [`process`]. To test the test, [`mutants`] builds it from
//! a patched copy of the sources, in which one rule is broken.

mod check;
mod cli;
mod cluster;
mod dice;
mod folder;
mod load;
mod mutants;
mod nemesis;
mod plan;
mod process;
mod report;
mod run;
mod watch;

use std::process::ExitCode;

pub use cli::Cli;
use cli::Command;

/// Does what the command line says. 0: nothing was found, and everything was tried.
pub fn main(cli: Cli) -> ExitCode {
    match cli.command {
        Some(Command::Process(process)) => process::run(process.service),
        None => test(&cli.settings),
    }
}

fn test(settings: &cli::Settings) -> ExitCode {
    let passed = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(mutants::run_or_test(settings)));
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let error: kontor_runtime::Error = error;
            say(format_args!("the fault test could not run: {}", kontor_runtime::fault::chain(error.as_ref())));
            ExitCode::from(2)
        }
    }
}

/// A line for whoever started the test, if anybody still reads.
pub(crate) fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
