//! Settings of programs: a flag, an environment variable and, for secrets, a file for each; all errors at once; and what is in effect.
//!
//! | module | what it does |
//! |---|---|
//! | [`mod@read`] | reads the settings of a program from its command line, its environment and files |
//! | `problems` | finds all that is wrong with them, and not only the first |
//! | `secret_files` | the file form of each secret |
//! | `standard` | the variables of OpenTelemetry, and RUST_LOG |
//! | `effective` | the table of `--print-config` |
//! | `parsers` | checks single values |
//!
//! Here are the settings that several services have. Each service flattens those it needs into its own.

mod effective;
mod parsers;
mod problems;
pub mod read;
mod secret_files;
mod standard;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use secrecy::SecretString;

pub use parsers::{database_url, issuer, peer_address};
pub use read::{Settings, read};

/// What each program has.
#[derive(Args, Clone, Debug, Default)]
pub struct ProcessSettings {
    /// The address for monitoring, in plain HTTP: /metrics, /livez and /readyz, such as 127.0.0.1:9464; without it, there is none
    #[arg(long, env = "KONTOR_METRICS_ADDR", value_name = "ADDR")]
    pub metrics_addr: Option<SocketAddr>,
    /// The form of the log lines on standard error
    #[arg(long, env = "KONTOR_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    // For people. (Not a documentation comment: clap would show `--help` in its long form.)
    #[default]
    Text,
    // One JSON object a line: `timestamp`, `level`, `trace_id`, `message`, the event's fields, `target`, and the innermost `span`.
    Json,
}

/// The database of a service.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// The database, as the role that owns the service's schema: postgres://user:password@host/database
    #[arg(long = "database-url", env = "KONTOR_DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = parsers::database_url)]
    pub url: SecretString,
    /// The most connections to the database at a time
    #[arg(long = "database-connections", env = "KONTOR_DATABASE_CONNECTIONS", default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub connections: u32,
}

/// How the access tokens of callers are verified.
#[derive(Args, Clone, Debug)]
pub struct TokenSettings {
    /// The address of auth, which publishes the keys of access tokens and what it revokes: host:port
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101", value_parser = peer_address)]
    pub auth_addr: String,
    /// The issuer that access tokens name: the address that callers know Kontor by
    #[arg(long, env = "KONTOR_ISSUER", default_value = "http://127.0.0.1:8080", value_parser = issuer)]
    pub issuer: String,
}

/// The identity of a service towards other services.
#[derive(Args, Clone, Debug)]
pub struct IdentitySettings {
    /// How tokens are verified.
    #[command(flatten)]
    pub tokens: TokenSettings,
    /// The key of this service's account, `kt_sk_…`, which buys its access tokens from auth
    #[arg(long, env = "KONTOR_SERVICE_KEY", hide_env_values = true, value_name = "KEY", value_parser = parsers::service_key)]
    pub service_key: SecretString,
}
