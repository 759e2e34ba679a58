//! The program of a single service, such as `kontor-order`: it serves, migrates, or tells its health.

use std::process::ExitCode;
use std::sync::LazyLock;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use futures_util::FutureExt;
use kontor_postgres::{Migrations, SchemaState};
use secrecy::ExposeSecret;

use crate::monitoring;
use crate::process::{self, Error};
use crate::service::Service;
use crate::settings::{self, DatabaseSettings, ProcessSettings, Settings};

/// Settings without a flag: those that libraries read.
pub const ENVIRONMENT: &str = "\
Environment:
  OTEL_EXPORTER_OTLP_ENDPOINT  The OpenTelemetry collector that traces and metrics are sent to, such as http://127.0.0.1:4317;
                               without it, they are not sent
  OTEL_EXPORTER_OTLP_PROTOCOL  How: grpc (the default) or http/protobuf
  OTEL_TRACES_SAMPLER          Which traces are sent, such as parentbased_traceidratio, with
  OTEL_TRACES_SAMPLER_ARG      the share of them, such as 0.1
  RUST_LOG                     What is logged to standard error, such as warn or info,kontor_order=debug";

/// The version and, if the build was told of it, the commit: `0.1.0 (1e39caf)`.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| match COMMIT {
        Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    });
    &VERSION
}

/// The commit that the program was built from, if the build was told of it by the variable `KONTOR_COMMIT`.
pub(crate) const COMMIT: Option<&str> = option_env!("KONTOR_COMMIT");

/// The program of a single service.
pub struct Program {
    name: &'static str,
    about: &'static str,
    migrations: Option<Migrations>,
}

#[derive(Args)]
struct Migrate {
    #[command(flatten)]
    database: DatabaseSettings,
    /// Only tell whether the schema is current: exit code 0 if it is, else 1
    #[arg(long)]
    check: bool,
}

#[derive(Args)]
struct Health {
    #[command(flatten)]
    process: ProcessSettings,
}

impl Program {
    /// Of the service with this short name ("order").
    pub fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, migrations: None }
    }

    /// Of a service with a schema: the program has the command `migrate`.
    #[must_use]
    pub fn migrations(self, migrations: Migrations) -> Self {
        Self { migrations: Some(migrations), ..self }
    }

    /// Reads the settings, and does what the command line says: serves, unless it says otherwise.
    pub fn run<C: Settings>(self, service: impl FnOnce(C) -> Service) -> ExitCode {
        let matches = settings::read(self.command(C::augment_args), C::NEEDS);
        match matches.subcommand() {
            Some(("health", matches)) => self.health(&read(matches)),
            Some((_migrate, matches)) => self.migrate(read(matches)),
            None => service(read(&matches)).run(&read(&matches)),
        }
    }

    fn command(&self, settings: impl FnOnce(Command) -> Command) -> Command {
        let command = Command::new(format!("kontor-{}", self.name)).version(version());
        let command = settings(ProcessSettings::augment_args(command)).about(self.about).long_about(None);
        let health = Health::augment_args(Command::new("health"));
        let health = health.about("Ask the running process whether it is ready: exit code 0 if it is, else 1");
        let migrate = Migrate::augment_args(Command::new("migrate")).about("Bring the schema up to date");
        let command = command.subcommand(health).subcommands(self.migrations.as_ref().map(|_| migrate));
        command.args_conflicts_with_subcommands(true).subcommand_negates_reqs(true).after_help(ENVIRONMENT)
    }

    fn health(&self, health: &Health) -> ExitCode {
        let metrics_addr = health.process.metrics_addr;
        self.once(async move {
            let addr = metrics_addr.ok_or("the process has no --metrics-addr (KONTOR_METRICS_ADDR) to ask at")?;
            monitoring::health(addr).await
        })
    }

    fn migrate(&self, migrate: Migrate) -> ExitCode {
        let (name, migrations) = (self.name, self.migrations.clone().unwrap_or_else(|| Migrations::new(&[])));
        self.once(async move {
            let url = migrate.database.url.expose_secret();
            let state = kontor_postgres::migrate_or_compare(url, &migrations, migrate.check).await?;
            if state != SchemaState::Current {
                return Err(state.to_string().into());
            }
            tell(name, state);
            Ok(())
        })
    }

    /// Does something without the rest of a service.
    fn once(&self, work: impl Future<Output = Result<(), Error>>) -> ExitCode {
        let name = format!("kontor-{}", self.name);
        let done = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(work.boxed_local()),
            Err(error) => Err(error.into()),
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => process::report(&name, &crate::fault::chain(error.as_ref())),
        }
    }
}

#[expect(clippy::print_stdout, reason = "the answer of a command")]
fn tell(name: &str, state: SchemaState) {
    println!("{name}: {state}");
}

/// Reads what clap has checked already.
fn read<T: FromArgMatches>(matches: &ArgMatches) -> T {
    T::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}
