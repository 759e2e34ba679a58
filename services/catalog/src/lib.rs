//! The catalog: products, variants, stock, and the orders' claims on it.
//!
//! Layers: [`grpc`] (the wire) -> [`ops`] (use cases, transactions) -> [`domain`] (rules) and [`store`] (SQL).
//! [`wire`] turns the domain into messages of the contract, for answers and for [`events`].

mod config;
pub mod domain;
mod events;
mod grpc;
pub mod ops;
mod store;
mod wire;

use std::sync::Arc;

use kontor_postgres::PoolOptions;
use kontor_runtime::{Error, Server, Verifier, peer};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;
use ops::Catalog;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Brings the schema up to date and serves until `stop`.
pub async fn serve(config: Config, listener: TcpListener, stop: CancellationToken) -> Result<(), Error> {
    let mut options = PoolOptions::new(config.database_url.expose_secret());
    options.max_connections = config.database_connections;
    let pool = kontor_postgres::connect(&options).await?;
    kontor_postgres::migrate(&pool, &MIGRATOR).await?;

    let catalog = Catalog::new(pool);
    let verifier = Arc::new(Verifier::remote(&config.issuer, peer::channel(&config.auth_addr)?));
    let probed = catalog.clone();
    let server = grpc::add_to(Server::new("catalog", verifier), catalog);
    let server = server.probe(move || {
        let catalog = probed.clone();
        async move { catalog.ping().await.map_err(|_| "the database does not answer".into()) }
    });
    Ok(server.serve(listener, stop).await?)
}
