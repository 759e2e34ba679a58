//! Carts and orders: what buyers are about to order, what they ordered, and driving each order to its end.
//!
//! Layers: [`grpc`] (the wire) -> [`ops`] (use cases, transactions) -> [`domain`] (rules) and [`store`] (SQL). [`peers`] is what
//! the operations ask of the catalog and the payment provider; [`worker`] finds orders that nobody drives any more.

mod config;
pub mod domain;
mod events;
mod grpc;
pub mod ops;
pub mod peers;
mod store;
mod wire;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use kontor_postgres::PoolOptions;
use kontor_postgres::outbox::Feed;
use kontor_runtime::{Error, Identity, Peer, Server, Verifier, peer};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

pub use config::{Config, LEASE_SECONDS, ORDER_SECONDS};
use ops::{Orders, Settings};
use peers::{Catalog, Payments};

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// Brings the schema up to date, serves and drives orders until `stop`.
pub async fn serve(config: Config, listener: TcpListener, stop: CancellationToken) -> Result<(), Error> {
    let mut options = PoolOptions::new(config.database_url.expose_secret());
    options.max_connections = config.database_connections;
    let pool = kontor_postgres::connect(&options).await?;
    kontor_postgres::migrate(&pool, &MIGRATOR).await?;

    let auth = peer::channel(&config.auth_addr)?;
    let identity = Arc::new(Identity::new(config.service_key.clone(), auth.clone()));
    let (catalog, provider) = (peer::channel(&config.catalog_addr)?, peer::channel(&config.psp_addr)?);
    let payments = Payments::new(Peer::new(provider.clone(), identity.clone()));
    let settings = Settings {
        process: format!("{}/{}", listener.local_addr()?, std::process::id()),
        lease: Duration::from_secs(config.lease_seconds),
        order_time_max: Duration::from_secs(config.order_seconds),
    };
    // A server that fails takes the worker and the drivers with it, and nobody else.
    let stop = stop.child_token();
    let events = Feed::start(pool.clone(), &stop);
    let orders =
        Orders::new(pool, Catalog::new(Peer::new(catalog, identity.clone())), payments, settings, stop.clone());

    let verifier = Arc::new(Verifier::remote(&config.issuer, auth));
    let probed = (orders.clone(), HealthClient::new(provider));
    let server = grpc::add_to(Server::new("order", verifier.clone()), orders.clone(), events);
    let server = server.probe(move || probe(probed.clone()));
    let serve = async {
        let ended = server.serve(listener, stop.clone()).await;
        stop.cancel();
        ended
    };
    let (served, (), ()) =
        tokio::join!(serve, verifier.listen(identity, &stop), worker::run(orders.clone(), stop.clone()));
    orders.let_go_of_all().await;
    Ok(served?)
}

/// An order can be placed if the database answers and the provider serves. (The edge asks the catalog itself.)
async fn probe((orders, mut provider): (Orders, HealthClient<tonic::transport::Channel>)) -> Result<(), String> {
    orders.ping().await.map_err(|_| "the database does not answer")?;
    let answer = provider.check(HealthCheckRequest::default()).await;
    let serves = answer.is_ok_and(|answer| answer.get_ref().status() == tonic_health::ServingStatus::Serving.into());
    if serves { Ok(()) } else { Err("the payment provider does not serve".into()) }
}
