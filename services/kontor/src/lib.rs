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

/// A line for whoever sits at the terminal, if anybody still reads. The log is something else, and goes to standard error.
pub(crate) fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
