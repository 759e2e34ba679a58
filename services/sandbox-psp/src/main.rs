//! The sandbox payment provider as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    kontor_sandbox_psp::main()
}
