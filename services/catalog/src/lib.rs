//! The catalog: products, variants, stock, and the orders' claims on it.
//!
//! Layers: [`grpc`] (the wire) -> [`ops`] (use cases, transactions) -> [`domain`] (rules) and [`store`] (SQL).
//! [`wire`] turns the domain into messages of the contract, for answers and for [`events`]; [`workers`] ends expired holds.

mod config;
pub mod domain;
mod events;
mod grpc;
mod metrics;
pub mod ops;
mod store;
mod wire;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use kontor_postgres::outbox::Feed;
use kontor_postgres::{Migrations, migrations};
use kontor_runtime::{Callers, Error, Host, Program, Server, Service};

pub use config::Config;
use ops::Catalog;

/// The tables of the catalog.
pub fn migrations() -> Migrations {
    migrations!["0001_products", "0002_stock", "0005_reservations"].with_outbox()
}

/// The catalog as a process of its own.
pub fn main() -> ExitCode {
    Program::new("catalog", "Products, variants, stock and reservations, over gRPC")
        .migrations(migrations())
        .run(service)
}

/// The catalog service.
pub fn service(config: Config) -> Service {
    Service::grpc("catalog", config.listen, Callers::Peers(config.identity))
        .schema(config.database, migrations())
        .start(move |host| start(config.hold_seconds, host))
}

async fn start(hold_seconds: u32, host: Host) -> Result<Server, Error> {
    let pool = host.pool()?;
    let events = Feed::start(pool.clone(), &host.stop);
    let catalog = Catalog::new(pool, Duration::from_secs(hold_seconds.into()));
    let server = grpc::add_to(host.server(), catalog.clone(), events);
    Ok(server.worker(workers::expire_holds(catalog)))
}
