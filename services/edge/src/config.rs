//! The settings of the edge, as flags and environment alike.

use std::net::SocketAddr;

use axum::Router;
use clap::Args;
use kontor_runtime::{Error, peer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Edge, Upstreams, serve};

/// The settings of the edge.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// Where it listens.
    #[arg(long = "edge-addr", env = "KONTOR_EDGE_ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where auth listens.
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101")]
    pub auth_addr: String,
    /// Where the catalog listens.
    #[arg(long, env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102")]
    pub catalog_addr: String,
    /// Where the order service listens.
    #[arg(long, env = "KONTOR_ORDER_ADDR", default_value = "127.0.0.1:7103")]
    pub order_addr: String,
}

/// Serves the whole contract, and further routes beside it, until `stop`.
///
/// # Errors
/// When an address is no address, or the contract can't be served.
pub async fn run(config: Config, listener: TcpListener, more: Router, stop: CancellationToken) -> Result<(), Error> {
    let upstreams = Upstreams::new()
        .with("kontor.auth.v1", peer::channel(&config.auth_addr)?)
        .with("kontor.catalog.v1", peer::channel(&config.catalog_addr)?)
        .with("kontor.order.v1", peer::channel(&config.order_addr)?);
    let edge = Edge::new(kontor_proto::DESCRIPTOR_SET, upstreams)?;
    serve(listener, more.merge(edge.router()), stop.cancelled_owned()).await;
    Ok(())
}
