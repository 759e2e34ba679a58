//! The settings: flags and environment alike.

use std::net::SocketAddr;
use std::path::PathBuf;

/// The settings of the sandbox provider.
#[derive(Clone, Debug, clap::Args)]
pub struct Config {
    /// Where to listen.
    #[arg(long = "psp-addr", env = "KONTOR_PSP_ADDR", default_value = "127.0.0.1:7104")]
    pub listen: SocketAddr,
    /// The file that decisions are written to and read from again at the start. Without it a restart forgets them.
    #[arg(long, env = "KONTOR_PSP_JOURNAL")]
    pub journal: Option<PathBuf>,
    /// The auth service, whose keys callers' tokens are verified with: host:port.
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101")]
    pub auth_addr: String,
    /// Who issues the tokens (the claim `iss`).
    #[arg(long, env = "KONTOR_ISSUER", default_value = "http://127.0.0.1:8080")]
    pub issuer: String,
}
