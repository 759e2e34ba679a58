//! `cargo faults`: the fault test. See the library.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    kontor_faults::main(kontor_faults::Cli::parse())
}
