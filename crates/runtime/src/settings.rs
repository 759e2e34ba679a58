//! Settings that several services have, as flags and environment alike. Each service flattens those it needs into its own.

use clap::Args;
use secrecy::SecretString;

/// The database of a service.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// The database, as the role that owns the service's schema: postgres://user:password@host/database
    #[arg(long = "database-url", env = "KONTOR_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub url: SecretString,
    /// Upper bound of open connections to the database.
    #[arg(long = "database-connections", env = "KONTOR_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub connections: u32,
}

/// How the access tokens of callers are verified.
#[derive(Args, Clone, Debug)]
pub struct TokenSettings {
    /// The address of auth, which publishes the keys of access tokens and what it revokes: host:port.
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101")]
    pub auth_addr: String,
    /// The issuer that access tokens name: the address that callers know Kontor by.
    #[arg(long, env = "KONTOR_ISSUER", default_value = "http://127.0.0.1:8080")]
    pub issuer: String,
}

/// The identity of a service towards other services.
#[derive(Args, Clone, Debug)]
pub struct IdentitySettings {
    /// How tokens are verified.
    #[command(flatten)]
    pub tokens: TokenSettings,
    /// The key of this service's account, kt_sk_…, which buys its access tokens from auth.
    #[arg(long, env = "KONTOR_SERVICE_KEY", hide_env_values = true)]
    pub service_key: SecretString,
}
