//! Carts and orders: what buyers are about to order, what they ordered, and driving each order to its end.
//!
//! Layers: [`grpc`] (the wire) -> [`ops`] (use cases, transactions) -> [`domain`] (rules) and [`store`] (SQL). [`peers`] is what
//! the operations ask of the catalog and the payment provider; [`workers`] reclaims orders whose lease has expired.

mod config;
pub mod domain;
mod events;
mod grpc;
mod metrics;
pub mod ops;
pub mod peers;
mod store;
mod wire;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use kontor_postgres::outbox::Feed;
use kontor_postgres::{Migrations, migrations};
use kontor_runtime::{Callers, Error, Host, Program, Server, Service, peer};

pub use config::{ANSWER_WAIT, Config, LEASE_SECONDS, ORDER_SECONDS};
use ops::{Orders, Settings};
use peers::{Catalog, Payments};

/// The tables of the order service.
pub fn migrations() -> Migrations {
    migrations!["0001_carts", "0002_orders", "0005_cancellations", "0006_sagas"].with_outbox()
}

/// The order service as a process of its own.
pub fn main() -> ExitCode {
    Program::new("order", "Carts and orders, over gRPC").migrations(migrations()).run(service)
}

/// The order service.
pub fn service(config: Config) -> Service {
    Service::grpc("order", config.listen, Callers::Peers(config.identity.clone()))
        .schema(config.database.clone(), migrations())
        .start(move |host| start(config, host))
}

async fn start(config: Config, host: Host) -> Result<Server, Error> {
    let pool = host.pool()?;
    let (catalog, payments) = (Catalog::new(host.peer(&config.catalog_addr)?), host.peer(&config.psp_addr)?);
    let settings = Settings {
        process: format!("{}/{}", host.address, std::process::id()),
        lease: Duration::from_secs(config.lease_seconds),
        order_time_max: Duration::from_secs(config.order_seconds),
        answer_wait: config.answer_wait,
    };
    let events = Feed::start(pool.clone(), &host.stop);
    let orders = Orders::new(pool, catalog, Payments::new(payments), settings, host.stop.clone());
    let (provider, draining) = (peer::channel(&config.psp_addr)?, orders.clone());
    let server = grpc::add_to(host.server(), orders.clone(), events);
    Ok(server
        .probe(move || peer::serves("the payment provider", provider.clone()))
        .worker(workers::count_sagas(orders.clone()))
        .worker(workers::reclaim_orders(orders))
        .drain(async move { draining.drain().await }))
}
