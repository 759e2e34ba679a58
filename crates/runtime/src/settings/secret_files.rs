//! The file form of secrets: `--x-file` and `X_FILE` name a file whose content is the value of `--x`. Container platforms mount secrets
//! as files, and environment variables show in more places than files do.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Id, value_parser};

use super::problems::{name, relaxed};

/// Adds the file form to each secret: the arguments whose values from the environment are not shown.
pub(super) fn with_file_forms(command: Command) -> Command {
    let forms: Vec<Arg> = secrets(&command).filter_map(file_form).collect();
    command.args(forms).mut_subcommands(with_file_forms)
}

/// The secrets of a command.
fn secrets(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| arg.is_hide_env_values_set())
}

fn file_form(secret: &Arg) -> Option<Arg> {
    let (long, variable) = (secret.get_long()?, secret.get_env()?.to_str()?);
    let form = Arg::new(file_flag(long)).long(file_flag(long)).value_name("FILE").value_parser(value_parser!(PathBuf));
    let form = form.help(format!("The file that holds --{long}")).help_heading("Secrets from files");
    Some(form.env(format!("{variable}_FILE")))
}

fn file_flag(long: &str) -> String {
    format!("{long}-file")
}

/// Reads the files that are named, as further flags for the command line. `matches` are of the command that runs, with any values.
/// A secret that can't be read is a problem, and is not asked for any more.
pub(super) fn read(command: &Command, matches: &ArgMatches, problems: &mut Vec<String>) -> (Command, Vec<OsString>) {
    let mut flags = Vec::new();
    let mut relax: Vec<&Id> = Vec::new();
    for (secret, matches) in active(command, matches) {
        let Some(long) = secret.get_long() else { continue };
        // A secret without a variable has no file form.
        let Ok(Some(path)) = matches.try_get_one::<OsString>(&file_flag(long)) else { continue };
        if matches.value_source(secret.get_id().as_str()).is_some_and(|source| source != ValueSource::DefaultValue) {
            problems.push(format!("{} is given twice, by value and by file; give one of them", name(secret)));
            relax.push(secret.get_id());
            continue;
        }
        match std::fs::read_to_string(PathBuf::from(path)) {
            Ok(value) if value.trim().is_empty() => {
                problems.push(format!("{}: its file {} is empty", name(secret), path.to_string_lossy()));
                relax.push(secret.get_id());
            }
            Ok(value) => flags.push(format!("--{long}={}", value.trim_end_matches(['\r', '\n'])).into()),
            Err(error) => {
                let path = path.to_string_lossy();
                problems.push(format!("{}: its file {path} can't be read: {error}", name(secret)));
                relax.push(secret.get_id());
            }
        }
    }
    let relaxed = relax.iter().fold(command.clone(), |command, id| relaxed(command, id));
    (relaxed, flags)
}

/// The secrets of the command that runs, with its matches.
fn active<'a>(command: &'a Command, matches: &'a ArgMatches) -> Vec<(&'a Arg, &'a ArgMatches)> {
    match matches.subcommand().and_then(|(name, inner)| Some((command.find_subcommand(name)?, inner))) {
        Some((command, inner)) => active(command, inner),
        None => secrets(command).map(|secret| (secret, matches)).collect(),
    }
}
