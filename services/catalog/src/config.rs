//! The settings of the catalog service, as flags and environment alike.

use std::net::SocketAddr;

use clap::Args;
use secrecy::SecretString;

/// The settings of the catalog service.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Where it listens.
    #[arg(long = "catalog-addr", env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102")]
    pub listen: SocketAddr,
    /// Its database, by the role that owns the schema: postgres://kontor_catalog:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "KONTOR_DATABASE_URL", hide_env_values = true)]
    pub database_url: SecretString,
    /// Where auth listens, for the keys of access tokens and what is revoked.
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101")]
    pub auth_addr: String,
    /// The key of this service's account, kt_sk_…, with which it identifies itself to auth.
    #[arg(long, env = "KONTOR_SERVICE_KEY", hide_env_values = true)]
    pub service_key: SecretString,
    /// Who issues access tokens: the address of the edge, as callers see it.
    #[arg(long, env = "KONTOR_ISSUER", default_value = "http://127.0.0.1:8080")]
    pub issuer: String,
    /// Most connections to the database.
    #[arg(long, env = "KONTOR_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
    /// How many seconds units are sure to be held for an order. An order takes seconds; the rest is for those whose service is down
    /// meanwhile.
    #[arg(long, env = "KONTOR_HOLD_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..))]
    pub hold_seconds: u32,
}
