//! The catalog service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    kontor_catalog::main()
}
