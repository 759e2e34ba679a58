//! The settings of the catalog service, as flags and environment alike.

use std::net::SocketAddr;

use clap::Args;
use kontor_runtime::settings::{DatabaseSettings, IdentitySettings};

/// The settings of the catalog service.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The address that the catalog listens on.
    #[arg(long = "catalog-addr", env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102")]
    pub listen: SocketAddr,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// The identity towards other services.
    #[command(flatten)]
    pub identity: IdentitySettings,
    /// For how many seconds units are held for an order at least. An order takes seconds; the rest is for buyers whose service is down
    /// meanwhile.
    #[arg(long, env = "KONTOR_HOLD_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    pub hold_seconds: u32,
}
