//! `kontor`: all of Kontor in one process, and the operator's command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    kontor::main()
}
