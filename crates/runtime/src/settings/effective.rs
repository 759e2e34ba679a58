//! The table of `--print-config`: each setting, its value, and where that comes from. Secrets are not shown.

use std::fmt::Write;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::standard;

pub(super) fn table(command: &Command, matches: &ArgMatches) -> String {
    let own = command.get_arguments().filter(|arg| arg.get_action().takes_values()).map(|arg| own(arg, matches));
    let standard = standard::given()
        .map(|(name, value)| [name.to_owned(), standard::shown(&value).to_owned(), "environment".to_owned()]);
    let rows: Vec<_> = own.chain(standard).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let (names, values) = (width(0), width(1));
    let mut table = String::new();
    for [name, value, source] in &rows {
        let _ = writeln!(table, "{name:names$}  {value:values$}  {source}");
    }
    table.trim_end().to_owned()
}

fn own(arg: &Arg, matches: &ArgMatches) -> [String; 3] {
    let (id, flag) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default().to_owned());
    let values: Vec<_> = matches.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy()).collect();
    let source = match matches.value_source(id) {
        None => return [flag, "-".into(), "not set".into()],
        Some(ValueSource::EnvVariable) => arg.get_env().unwrap_or_default().to_string_lossy().into_owned(),
        Some(ValueSource::CommandLine) if has_file(&flag, matches) => format!("file of --{flag}-file"),
        Some(ValueSource::CommandLine) => format!("--{flag}"),
        Some(_) => "default".into(),
    };
    let value = if arg.is_hide_env_values_set() { "(hidden)".into() } else { values.join(",") };
    [flag, value, source]
}

fn has_file(flag: &str, matches: &ArgMatches) -> bool {
    matches.try_contains_id(&format!("{flag}-file")).unwrap_or(false)
}
