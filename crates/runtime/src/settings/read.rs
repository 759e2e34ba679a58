//! Reads the settings of a program.

use std::ffi::OsString;
use std::io::Write;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::{effective, problems, secret_files};

/// The name of the flag that shows the settings.
const PRINT: &str = "print-config";

/// The settings of a service.
pub trait Settings: clap::Args {
    /// Settings that are of no use without another one, by their flags: the given one, and the one that it needs.
    const NEEDS: &'static [(&'static str, &'static str)] = &[];
}

/// Why a program does not start with these settings.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The command line asks for help, or can't be understood.
    CommandLine(clap::Error),
    /// All that is wrong with the settings, for a person.
    Settings(String),
}

/// What a command line asks for.
#[derive(Debug)]
pub(super) enum Parsed {
    Run(ArgMatches),
    /// The settings in effect, for a person.
    Print(String),
}

/// Reads the settings of this process. Ends it if they are wrong (with exit code 2 and all that is wrong with them), or if it
/// was only asked to show them.
#[expect(clippy::print_stderr, reason = "said to the terminal, whatever is logged")]
pub fn read(command: Command, needs: &[(&str, &str)]) -> ArgMatches {
    match parse(command, std::env::args_os().collect(), needs) {
        Ok(Parsed::Run(matches)) => matches,
        // A reader such as `head` may close the pipe before the end.
        Ok(Parsed::Print(table)) => std::process::exit(writeln!(std::io::stdout(), "{table}").is_err().into()),
        Err(Refusal::CommandLine(error)) => error.exit(),
        Err(Refusal::Settings(problems)) => {
            eprintln!("{problems}");
            std::process::exit(2)
        }
    }
}

pub(super) fn parse(command: Command, argv: Vec<OsString>, needs: &[(&str, &str)]) -> Result<Parsed, Refusal> {
    let print = Arg::new(PRINT)
        .long(PRINT)
        .action(ArgAction::SetTrue)
        .global(true)
        .help("Show the settings in effect, and end");
    let command = secret_files::with_file_forms(of_subcommand(command, &argv).arg(print));
    let mut command = without_empty_variables(command);
    let matches = problems::matches(&mut command, argv.clone(), needs)?;
    let active = problems::active_matches(&matches);
    if active.get_flag(PRINT) {
        Ok(Parsed::Print(effective::table(problems::active(&command, &argv), active)))
    } else {
        Ok(Parsed::Run(matches))
    }
}

/// With a subcommand, the variables are its own: the same one may mean the address to listen on for the command that serves, and the
/// address to call for another.
fn of_subcommand(command: Command, argv: &[OsString]) -> Command {
    let is_named = problems::active(&command, argv).get_name() != command.get_name();
    if is_named { command.mut_args(|arg| arg.env(clap::builder::Resettable::Reset)) } else { command }
}

/// An empty variable is as good as none: Compose passes those that are not set as empty ones.
fn without_empty_variables(command: Command) -> Command {
    let unset = |arg: Arg| {
        let is_empty = arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { arg.env(clap::builder::Resettable::Reset) } else { arg }
    };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}
