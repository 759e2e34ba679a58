//! The settings of the order service, as flags and environment alike.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use kontor_runtime::settings::{DatabaseSettings, IdentitySettings, Settings, peer_address};

/// How long an order stays with a process that does not renew its lease, unless a setting says otherwise.
pub const LEASE_SECONDS: u64 = 20;
/// How long an order may take to be settled, unless a setting says otherwise.
pub const ORDER_SECONDS: u64 = 24 * 3600;

/// How long a call waits for the end of what it began.
pub const ANSWER_WAIT: Duration = Duration::from_secs(3);

/// The settings of the order service.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The address that the order service listens on: gRPC
    #[arg(long = "order-addr", env = "KONTOR_ORDER_ADDR", default_value = "127.0.0.1:7103")]
    pub listen: SocketAddr,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseSettings,
    /// The identity towards other services.
    #[command(flatten)]
    pub identity: IdentitySettings,
    /// The address of the catalog: host:port
    #[arg(long, env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102", value_parser = peer_address)]
    pub catalog_addr: String,
    /// The address of the payment provider: host:port
    #[arg(long, env = "KONTOR_PSP_ADDR", default_value = "127.0.0.1:7104", value_parser = peer_address)]
    pub psp_addr: String,
    /// How many seconds a process keeps an order whose lease it does not renew; then another one takes the order over
    #[arg(long, env = "KONTOR_LEASE_SECONDS", default_value_t = LEASE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub lease_seconds: u64,
    /// How many seconds an order may take to be settled, reviews by people included, before it is rejected
    #[arg(long, env = "KONTOR_ORDER_SECONDS", default_value_t = ORDER_SECONDS, value_parser = clap::value_parser!(u64).range(1..))]
    pub order_seconds: u64,
    /// How long a call waits for the end of what it began, before it answers with the order as it stands. Only tests change it.
    #[arg(skip = ANSWER_WAIT)]
    pub answer_wait: Duration,
}

impl Settings for Config {}
