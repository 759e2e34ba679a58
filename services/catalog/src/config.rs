//! The settings of the catalog service, as flags and environment alike.

use std::net::SocketAddr;

use clap::Args;
use kontor_runtime::settings::{DatabaseSettings, IdentitySettings, Settings};

/// The settings of the catalog service.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The address that the catalog listens on: gRPC
    #[arg(long = "catalog-addr", env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102")]
    pub listen: SocketAddr,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// The identity towards other services.
    #[command(flatten)]
    pub identity: IdentitySettings,
    /// How many seconds units are held for an order at least; an order takes seconds, the rest is for order processes that are down
    #[arg(long, env = "KONTOR_HOLD_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    pub hold_seconds: u32,
}

impl Settings for Config {}
