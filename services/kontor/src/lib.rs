//! The launcher: all services in one process on a Postgres that it finds and starts itself, and the operator's commands.
//!
//! The services speak to each other over gRPC here too, through real sockets: what is tried here is what runs in production.

pub mod cli;
mod client;
mod data_dir;
pub mod import;
mod make_env;
mod migrate;
pub mod rotate_keys;
mod schemas;
mod secrets;
pub mod up;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use cli::{AdminPassword, Cli, Command};
use futures_util::FutureExt;
use kontor_runtime::settings::{self, ProcessSettings};
use kontor_runtime::{Error, run};
use secrecy::ExposeSecret;

/// Does what the command line says.
pub fn main() -> ExitCode {
    let matches = settings::read(Cli::command(), cli::NEEDS);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let quiet = ProcessSettings::default();
    match cli.command.unwrap_or(Command::Up(Box::new(cli.up))) {
        Command::Up(up) => run("kontor", &up.process.clone(), |stop| up::run(*up, stop).boxed()),
        Command::Import(import) => run("kontor-import", &quiet, |stop| import::run(import, stop).boxed()),
        Command::RotateKeys(rotate) => run("kontor-rotate-keys", &quiet, |stop| rotate_keys::run(rotate, stop).boxed()),
        Command::Migrate(migrate) => run("kontor-migrate", &quiet, |stop| migrate::run(migrate, stop).boxed()),
        Command::AdminPassword(asked) => {
            run("kontor-admin-password", &quiet, |_| async move { tell_password(&asked) }.boxed())
        }
        Command::MakeEnv => run("kontor-make-env", &quiet, |_| std::future::ready(answer(make_env::file())).boxed()),
    }
}

fn tell_password(asked: &AdminPassword) -> Result<(), Error> {
    let password = secrets::admin_password(asked.admin_password.as_ref(), asked.data_dir.as_deref())?;
    answer(password.expose_secret())
}

/// The answer of a command, which a caller may redirect to a file: half of it is an error.
fn answer(text: impl std::fmt::Display) -> Result<(), Error> {
    use std::io::Write;
    let mut output = std::io::stdout();
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    written.map_err(|error| format!("the answer could not be written: {error}").into())
}

/// A line for whoever sits at the terminal, if anybody still reads. The log is something else, and goes to standard error.
pub(crate) fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}
