//! The settings: flags and environment alike.

use std::net::SocketAddr;
use std::path::PathBuf;

use kontor_runtime::settings::{Settings, TokenSettings};

/// The settings of the sandbox provider.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// The address that the provider listens on: gRPC
    #[arg(long = "psp-addr", env = "KONTOR_PSP_ADDR", default_value = "127.0.0.1:7104")]
    pub listen: SocketAddr,
    /// The file that decisions are written to, and read from at the start; without it, a restart forgets them
    #[arg(long, env = "KONTOR_PSP_JOURNAL")]
    pub journal: Option<PathBuf>,
    /// How the tokens of callers are verified.
    #[command(flatten)]
    pub tokens: TokenSettings,
}

impl Settings for Config {}
