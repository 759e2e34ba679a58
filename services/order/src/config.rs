//! The settings of the order service, as flags and environment alike.

use std::net::SocketAddr;

use clap::Args;
use secrecy::SecretString;

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
    /// Most connections to the database.
    #[arg(long, env = "KONTOR_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
}
