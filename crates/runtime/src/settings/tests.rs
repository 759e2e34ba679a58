//! Settings from a command line and from files. What comes from the environment is tested with real programs.

use std::ffi::OsString;
use std::net::SocketAddr;

use clap::{Args, Command, FromArgMatches};
use secrecy::{ExposeSecret, SecretString};

use super::read::{Parsed, Refusal, parse};
use super::{DatabaseSettings, peer_address};

#[derive(Args)]
struct Config {
    #[command(flatten)]
    database: DatabaseSettings,
    /// The address of a peer: host:port
    #[arg(long, default_value = "127.0.0.1:7101", value_parser = peer_address)]
    peer_addr: String,
    /// The mail server
    #[arg(long, env = "KONTOR_TEST_MAIL", hide_env_values = true)]
    mail_url: Option<SecretString>,
    /// The sender of mails
    #[arg(long)]
    mail_from: Option<String>,
}

const NEEDS: &[(&str, &str)] = &[("mail-url", "mail-from")];
const URL: &str = "--database-url=postgres://kontor:hunter2@db/kontor";

fn parsed(args: &[&str]) -> Result<Parsed, Refusal> {
    let argv = ["test"].iter().chain(args).map(OsString::from).collect();
    parse(Config::augment_args(Command::new("test")), argv, NEEDS)
}

fn config(args: &[&str]) -> Config {
    match parsed(args) {
        Ok(Parsed::Run(matches)) => Config::from_arg_matches(&matches).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn problems(args: &[&str]) -> String {
    match parsed(args) {
        Err(Refusal::Settings(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn file(content: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, content).unwrap();
    (dir, path.display().to_string())
}

#[test]
fn all_errors_are_told_at_once_with_names_and_what_would_be_right() {
    let text = problems(&["--database-connections=0", "--peer-addr=nowhere", "--mail-url=smtp://hunter2"]);
    for expected in [
        "--database-url (KONTOR_DATABASE_URL) is missing\n      The database, as the role",
        "--database-connections (KONTOR_DATABASE_CONNECTIONS) is \"0\", which is not valid: 0 is not in 2..=1000",
        "[default: 16]",
        "--peer-addr is \"nowhere\", which is not valid: the port is missing",
        "--mail-url (KONTOR_TEST_MAIL) is given, but --mail-from is missing\n      The sender of mails",
    ] {
        assert!(text.contains(expected), "no {expected:?} in:\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_malformed_secret_is_not_repeated() {
    let text = problems(&["--database-url=mysql://hunter2@db/kontor"]);
    assert!(text.contains("--database-url (KONTOR_DATABASE_URL) is not valid") && !text.contains("hunter2"), "{text}");
}

#[test]
fn a_secret_is_read_from_its_file() {
    let (_dir, path) = file("postgres://kontor:hunter2@db/kontor\n");
    let config = config(&["--database-url-file", &path]);
    assert_eq!(config.database.url.expose_secret(), "postgres://kontor:hunter2@db/kontor");
    assert_eq!((config.database.connections, config.peer_addr.as_str()), (16, "127.0.0.1:7101"));
    assert!(config.mail_url.is_none() && config.mail_from.is_none());
}

#[test]
fn a_file_that_is_missing_malformed_or_one_too_many_is_told() {
    let text = problems(&["--database-url-file=/no/such/file", "--peer-addr=x"]);
    assert!(text.contains("its file /no/such/file can't be read: No such file"), "{text}");
    assert!(text.contains("--peer-addr") && !text.contains("(KONTOR_DATABASE_URL) is missing"), "{text}");
    let (_dir, path) = file("\n");
    let text = problems(&["--database-url-file", &path]);
    assert!(text.contains("is empty") && !text.contains("(KONTOR_DATABASE_URL) is missing"), "{text}");
    let (_dir, path) = file("hunter2");
    let text = problems(&["--database-url-file", &path]);
    assert!(text.contains("--database-url (KONTOR_DATABASE_URL) is not valid") && !text.contains("hunter2"), "{text}");
    let text = problems(&[URL, "--database-url-file", &path]);
    assert!(text.contains("is given twice, by value and by file"), "{text}");
}

#[test]
fn a_secret_from_a_file_counts_as_given() {
    let (_dir, path) = file("smtp://mail");
    let text = problems(&[URL, "--mail-url-file", &path]);
    assert!(text.contains("--mail-from is missing"), "{text}");
    let (url_dir, url_path) = file("postgres://kontor@db/kontor");
    let text = problems(&["--database-url-file", &url_path, "--mail-url=smtp://mail"]);
    assert!(text.contains("--mail-from is missing") && !text.contains("--database-url"), "{text}");
    drop(url_dir);
}

#[test]
fn the_settings_in_effect_are_shown_without_secrets() {
    let Ok(Parsed::Print(table)) = parsed(&["--print-config", URL, "--peer-addr=auth:7101"]) else { panic!() };
    let row = |name: &str| table.lines().find(|line| line.split(' ').next() == Some(name)).unwrap().to_owned();
    let cells = |name: &str| row(name).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cells("database-url"), ["database-url", "(hidden)", "--database-url"]);
    assert_eq!(cells("peer-addr"), ["peer-addr", "auth:7101", "--peer-addr"]);
    assert_eq!(cells("database-connections"), ["database-connections", "16", "default"]);
    assert_eq!(cells("mail-url"), ["mail-url", "-", "not", "set"]);
    assert!(!table.contains("hunter2"), "{table}");
}

#[test]
fn a_subcommand_shows_its_own_settings() {
    let command = Config::augment_args(Command::new("test")).subcommand_negates_reqs(true);
    let command = command.subcommand(Command::new("load").arg(clap::Arg::new("from").long("from")));
    let argv = ["test", "load", "--from=here", "--print-config"].map(OsString::from).to_vec();
    let Ok(Parsed::Print(table)) = parse(command, argv, &[]) else { panic!() };
    assert!(table.contains("from  here  --from") && !table.contains("database-url"), "{table}");
}

#[test]
fn an_address_that_is_given_twice_is_told() {
    let address = |name: &'static str| clap::Arg::new(name).long(name).value_parser(clap::value_parser!(SocketAddr));
    let command = Command::new("test").args(["own-addr", "metrics-addr", "other-addr"].map(address));
    let told = |own: &str, metrics: &str| {
        let argv = ["test".into(), format!("--own-addr={own}"), format!("--metrics-addr={metrics}")];
        parse(command.clone(), argv.map(OsString::from).to_vec(), &[])
    };
    let Err(Refusal::Settings(text)) = told("127.0.0.1:7101", "127.0.0.1:7101") else { panic!() };
    assert!(text.contains("--own-addr and --metrics-addr are both 127.0.0.1:7101"), "{text}");
    assert!(told("127.0.0.1:7101", "127.0.0.1:7102").is_ok() && told("127.0.0.1:0", "127.0.0.1:0").is_ok());
}

#[test]
fn a_rule_between_arguments_is_told_once() {
    let command = Command::new("test").arg(clap::Arg::new("file").required_unless_present("sample"));
    let command = command.arg(clap::Arg::new("sample").long("sample").action(clap::ArgAction::SetTrue));
    let Err(Refusal::Settings(text)) = parse(command, vec!["test".into()], &[]) else { panic!() };
    assert_eq!(text.matches("<file> is missing").count(), 1, "{text}");
}

#[test]
fn what_the_command_line_can_not_mean_is_told_by_clap() {
    assert!(matches!(parsed(&["--no-such-flag"]), Err(Refusal::CommandLine(_))));
    assert!(matches!(parsed(&["--help"]), Err(Refusal::CommandLine(_))));
}
