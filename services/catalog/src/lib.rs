//! The catalog: products, variants, stock, and the orders' claims on it.
//!
//! Layers: [`grpc`] (the wire) -> [`ops`] (use cases, transactions) -> [`domain`] (rules) and [`store`] (SQL).
//! [`wire`] turns the domain into messages of the contract, for answers and for [`events`]; [`worker`] ends holds that have expired.

mod config;
pub mod domain;
mod events;
mod grpc;
pub mod ops;
mod store;
mod wire;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use kontor_postgres::PoolOptions;
use kontor_postgres::outbox::Feed;
use kontor_runtime::{Error, Identity, Server, Verifier, peer};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;
use ops::Catalog;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Brings the schema up to date, serves and ends expired holds until `stop`.
pub async fn serve(config: Config, listener: TcpListener, stop: CancellationToken) -> Result<(), Error> {
    let mut options = PoolOptions::new(config.database_url.expose_secret());
    options.max_connections = config.database_connections;
    let pool = kontor_postgres::connect(&options).await?;
    kontor_postgres::migrate(&pool, &MIGRATOR).await?;

    let events = Feed::start(pool.clone(), &stop);
    let catalog = Catalog::new(pool, Duration::from_secs(config.hold_seconds.into()));
    let auth = peer::channel(&config.auth_addr)?;
    let identity = Arc::new(Identity::new(config.service_key.clone(), auth.clone()));
    let verifier = Arc::new(Verifier::remote(&config.issuer, auth));
    let probed = catalog.clone();
    let server = grpc::add_to(Server::new("catalog", verifier.clone()), catalog.clone(), events);
    let server = server.probe(move || {
        let catalog = probed.clone();
        async move { catalog.ping().await.map_err(|_| "the database does not answer".into()) }
    });
    // A server that fails takes the worker with it, and nobody else.
    let stop = stop.child_token();
    let serve = async {
        let ended = server.serve(listener, stop.clone()).await;
        stop.cancel();
        ended
    };
    let (served, (), ()) = tokio::join!(serve, verifier.listen(identity, &stop), worker::run(catalog, stop.clone()));
    Ok(served?)
}
