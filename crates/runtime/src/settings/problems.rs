//! All that is wrong with the settings. clap tells the first error only; here the argument at fault is then taken with any value, and
//! the settings are read again, until nothing else is wrong.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write;
use std::net::SocketAddr;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Id, value_parser};

use super::read::Refusal;
use super::{secret_files, standard};

/// Reads the settings.
///
/// # Errors
/// With all that is wrong with them.
pub(super) fn matches(
    command: &mut Command,
    mut argv: Vec<OsString>,
    needs: &[(&str, &str)],
) -> Result<ArgMatches, Refusal> {
    let (mut problems, mut relaxed_ids) = (Vec::from_iter(standard::problems()), Vec::new());
    let mut checked = command.clone();
    // What fails here is told below, in better words.
    if let Ok(any) = any_value(command.clone()).try_get_matches_from(&argv) {
        let (command, flags) = secret_files::read(&checked, &any, &mut problems);
        (checked, argv) = (command, argv.into_iter().chain(flags).collect());
        let (command, any) = (active(&checked, &argv), active_matches(&any));
        problems.extend(needs.iter().filter_map(|(given, needed)| unmet(command, any, given, needed)));
        problems.extend(same_addresses(command, any));
    }
    loop {
        let error = match checked.try_get_matches_from_mut(&argv) {
            Ok(matches) if problems.is_empty() => return Ok(matches),
            Ok(_) => return Err(Refusal::Settings(text(&problems))),
            Err(error) => error,
        };
        let active = active(&checked, &argv);
        let args: Vec<Arg> = at_fault(&error).iter().filter_map(|shown| find(active, shown)).cloned().collect();
        if args.is_empty() {
            return Err(Refusal::CommandLine(error));
        }
        let is_known = args.iter().all(|arg| relaxed_ids.contains(arg.get_id()));
        if is_known {
            // A rule between arguments, which an argument with any value does not meet either.
            return Err(Refusal::Settings(text(&problems)));
        }
        for arg in args {
            problems.push(problem(&arg, &error));
            checked = relaxed(checked, arg.get_id());
            relaxed_ids.push(arg.get_id().clone());
        }
    }
}

fn text(problems: &[String]) -> String {
    let mut text = String::from(match problems.len() {
        1 => "error: a setting is wrong\n",
        _ => "error: some settings are wrong\n",
    });
    for problem in problems {
        let _ = writeln!(text, "  {problem}");
    }
    text + "\nFor more information, try '--help'."
}

/// The arguments that clap complains about, as it writes them.
fn at_fault(error: &clap::Error) -> Vec<String> {
    let kinds = [ErrorKind::MissingRequiredArgument, ErrorKind::ValueValidation, ErrorKind::InvalidValue];
    match error.get(ContextKind::InvalidArg).filter(|_| kinds.contains(&error.kind())) {
        Some(ContextValue::String(arg)) => vec![arg.clone()],
        Some(ContextValue::Strings(args)) => args.clone(),
        _ => Vec::new(),
    }
}

/// What is wrong with one argument, and what would be right.
fn problem(arg: &Arg, error: &clap::Error) -> String {
    let mut text = name(arg);
    if error.kind() == ErrorKind::MissingRequiredArgument {
        text += " is missing";
    } else {
        if let (Some(ContextValue::String(value)), false) =
            (error.get(ContextKind::InvalidValue), arg.is_hide_env_values_set())
        {
            let _ = write!(text, " is {value:?}, which");
        }
        text += " is not valid";
        if let Some(why) = error.source() {
            let _ = write!(text, ": {why}");
        }
    }
    let _ = write!(text, "\n      {}", wanted(arg));
    text
}

/// What an argument is for, as its help says, and what it may be.
fn wanted(arg: &Arg) -> String {
    let mut text = arg.get_help().map(|help| help.to_string()).unwrap_or_default();
    let values: Vec<_> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !values.is_empty() {
        let _ = write!(text, " [one of {}]", values.join(", "));
    }
    if let Some(default) = arg.get_default_values().first() {
        let _ = write!(text, " [default: {}]", default.to_string_lossy());
    }
    text
}

/// A setting by all its names: `--auth-addr (KONTOR_AUTH_ADDR)`.
pub(super) fn name(arg: &Arg) -> String {
    let flag = arg.get_long().map_or_else(|| positional(arg), |long| format!("--{long}"));
    match arg.get_env() {
        Some(variable) => format!("{flag} ({})", variable.to_string_lossy()),
        None => flag,
    }
}

/// A setting that is given without the one that it needs.
fn unmet(command: &Command, matches: &ArgMatches, given: &str, needed: &str) -> Option<String> {
    let find = |long| command.get_arguments().find(|arg| arg.get_long() == Some(long));
    let (given, needed_arg) = (find(given)?, find(needed)?);
    let is_given = |arg: &Arg| {
        let forms = [arg.get_id().to_string(), format!("{}-file", arg.get_long().unwrap_or_default())];
        let sources =
            forms.iter().map(|id| matches.try_contains_id(id).is_ok_and(|is| is).then(|| matches.value_source(id)));
        sources.flatten().flatten().any(|source| source != ValueSource::DefaultValue)
    };
    let is_unmet = is_given(given) && !is_given(needed_arg);
    is_unmet
        .then(|| format!("{} is given, but {} is missing\n      {}", name(given), name(needed_arg), wanted(needed_arg)))
}

/// Addresses to listen on that are given twice. (Port 0 takes a free one each time.)
fn same_addresses(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let address = ValueParser::from(value_parser!(SocketAddr)).type_id();
    let given = command.get_arguments().filter(|arg| arg.get_value_parser().type_id() == address).filter_map(|arg| {
        let value = matches.get_raw(arg.get_id().as_str())?.next()?.to_str()?;
        Some((arg, value.parse::<SocketAddr>().ok()?))
    });
    let given: Vec<_> = given.filter(|(_, address)| address.port() != 0).collect();
    let twice = given.iter().enumerate().filter_map(|(index, (arg, address))| {
        let (other, _) = given[..index].iter().find(|(_, earlier)| earlier == address)?;
        Some(format!("{} and {} are both {address}\n      Each needs an address of its own", name(other), name(arg)))
    });
    twice.collect()
}

/// What the command that runs was given.
pub(super) fn active_matches(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, inner)| active_matches(inner))
}

/// The command that runs: subcommands have settings of their own.
pub(super) fn active<'a>(command: &'a Command, argv: &[OsString]) -> &'a Command {
    let named = argv.get(1).and_then(|first| command.get_subcommands().find(|inner| first == inner.get_name()));
    named.unwrap_or(command)
}

/// The argument that clap shows as `--flag <VALUE>` or `<VALUE>`.
fn find<'a>(command: &'a Command, shown: &str) -> Option<&'a Arg> {
    let flag = shown.split(' ').next().and_then(|flag| flag.strip_prefix("--"));
    let is_shown = |arg: &Arg| flag.map_or_else(|| positional(arg) == shown, |flag| arg.get_long() == Some(flag));
    command.get_arguments().find(|arg| is_shown(arg))
}

/// An argument without a flag, as clap shows it.
fn positional(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    format!("<{}>", names.first().map_or(arg.get_id().as_str(), |name| name.as_str()))
}

/// The command with this argument at choice, and with any value.
pub(super) fn relaxed(command: Command, id: &Id) -> Command {
    let relax = |arg: Arg| if arg.get_id() == id { with_any_value(arg) } else { arg };
    command.mut_args(relax).mut_subcommands(|inner| relaxed(inner, id))
}

fn any_value(command: Command) -> Command {
    command.mut_args(with_any_value).mut_subcommands(any_value)
}

fn with_any_value(arg: Arg) -> Arg {
    if !arg.get_action().takes_values() {
        return arg;
    }
    arg.required(false).value_parser(ValueParser::os_string())
}
