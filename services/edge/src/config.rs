//! The settings of the edge, as flags and environment alike.

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use clap::Args;
use futures_util::FutureExt;
use kontor_runtime::{Error, Service, peer, process};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{Edge, Upstreams, serve};

/// The settings of the edge.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The address that the edge listens on.
    #[arg(long = "edge-addr", env = "KONTOR_EDGE_ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The address of auth: host:port.
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101")]
    pub auth_addr: String,
    /// The address of the catalog: host:port.
    #[arg(long, env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102")]
    pub catalog_addr: String,
    /// The address of the order service: host:port.
    #[arg(long, env = "KONTOR_ORDER_ADDR", default_value = "127.0.0.1:7103")]
    pub order_addr: String,
}

/// The edge as a process of its own.
pub fn main() -> ExitCode {
    let config = process::settings("kontor-edge", "One HTTP address for every service of Kontor.");
    service(config, Router::new()).run()
}

/// The edge, which serves the whole contract and further routes beside it.
pub fn service(config: Config, more: Router) -> Service {
    Service::new("edge", config.listen, move |listener, stop| run(config, more, listener, stop).boxed())
}

async fn run(config: Config, more: Router, listener: TcpListener, stop: CancellationToken) -> Result<(), Error> {
    let upstreams = Upstreams::new()
        .with("kontor.auth.v1", peer::channel(&config.auth_addr)?)
        .with("kontor.catalog.v1", peer::channel(&config.catalog_addr)?)
        .with("kontor.order.v1", peer::channel(&config.order_addr)?);
    let edge = Edge::new(kontor_proto::DESCRIPTOR_SET, upstreams)?;
    serve(listener, more.merge(edge.router()), stop.cancelled_owned()).await;
    Ok(())
}
