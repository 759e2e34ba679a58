//! The settings of the order service, as flags and environment alike.

use std::net::SocketAddr;

use clap::Args;
use secrecy::SecretString;

/// How long an order stays with a process that gives no sign of life, unless a setting says otherwise.
pub const LEASE_SECONDS: u64 = 20;
/// How long an order may take to be settled, unless a setting says otherwise.
pub const ORDER_SECONDS: u64 = 24 * 3600;

/// The settings of the order service.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Where it listens.
    #[arg(long = "order-addr", env = "KONTOR_ORDER_ADDR", default_value = "127.0.0.1:7103")]
    pub listen: SocketAddr,
    /// Its database, by the role that owns the schema: postgres://kontor_order:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "KONTOR_DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// Where auth listens.
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101")]
    pub auth_addr: String,
    /// Where the catalog listens.
    #[arg(long, env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102")]
    pub catalog_addr: String,
    /// Where the payment provider listens.
    #[arg(long, env = "KONTOR_PSP_ADDR", default_value = "127.0.0.1:7104")]
    pub psp_addr: String,
    /// The key of this service's account, kt_sk_…, with which it identifies itself to the others.
    #[arg(long, env = "KONTOR_SERVICE_KEY", hide_env_values = true)]
    pub service_key: SecretString,
    /// Who issues access tokens: the address of the edge, as callers see it.
    #[arg(long, env = "KONTOR_ISSUER", default_value = "http://127.0.0.1:8080")]
    pub issuer: String,
    /// How long, in seconds, an order stays with a process that gives no sign of life, before another one takes it over.
    #[arg(long, env = "KONTOR_LEASE_SECONDS", default_value_t = LEASE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub lease_seconds: u64,
    /// How long, in seconds, an order may take to be settled, reviews by people included, before it is rejected.
    #[arg(long, env = "KONTOR_ORDER_SECONDS", default_value_t = ORDER_SECONDS, value_parser = clap::value_parser!(u64).range(1..))]
    pub order_seconds: u64,
    /// Most connections to the database.
    #[arg(long, env = "KONTOR_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
}
