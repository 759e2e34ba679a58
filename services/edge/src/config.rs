//! The settings of the edge, as flags and environment alike.

use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use clap::Args;
use futures_util::FutureExt;
use kontor_runtime::settings::{Settings, peer_address};
use kontor_runtime::{Error, Program, Run, Service, peer};
use tokio::net::TcpListener;

use crate::{Edge, Upstreams, mailbox, serve};

/// The settings of the edge.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// The address that the edge listens on: HTTP
    #[arg(long = "edge-addr", env = "KONTOR_EDGE_ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The address of auth: host:port
    #[arg(long, env = "KONTOR_AUTH_ADDR", default_value = "127.0.0.1:7101", value_parser = peer_address)]
    pub auth_addr: String,
    /// The address of the catalog: host:port
    #[arg(long, env = "KONTOR_CATALOG_ADDR", default_value = "127.0.0.1:7102", value_parser = peer_address)]
    pub catalog_addr: String,
    /// The address of the order service: host:port
    #[arg(long, env = "KONTOR_ORDER_ADDR", default_value = "127.0.0.1:7103", value_parser = peer_address)]
    pub order_addr: String,
    /// The address for monitoring of an auth with --dev-mailbox: /dev/mailbox is passed on to it; for try-outs only
    #[arg(long, env = "KONTOR_DEV_MAILBOX_ADDR", value_name = "HOST:PORT", value_parser = peer_address)]
    pub dev_mailbox_addr: Option<String>,
}

impl Settings for Config {}

/// The edge as a process of its own.
pub fn main() -> ExitCode {
    Program::new("edge", "One HTTP address for every service of Kontor").run(|config| service(config, Router::new()))
}

/// The edge, which serves the whole contract and further routes beside it.
pub fn service(config: Config, more: Router) -> Service {
    Service::new("edge", config.listen, move |listener, run| serve_contract(config, more, listener, run).boxed())
}

async fn serve_contract(config: Config, more: Router, listener: TcpListener, run: Run) -> Result<(), Error> {
    let upstreams = Upstreams::new()
        .with("kontor.auth.v1", peer::channel(&config.auth_addr)?)
        .with("kontor.catalog.v1", peer::channel(&config.catalog_addr)?)
        .with("kontor.order.v1", peer::channel(&config.order_addr)?);
    let edge = Edge::new(kontor_proto::DESCRIPTOR_SET, upstreams)?;
    let mailbox = config.dev_mailbox_addr.map(mailbox::routes).transpose()?;
    let routes = more.merge(mailbox.unwrap_or_default()).merge(edge.router());
    tracing::info!(name = "edge", address = %listener.local_addr()?, "listening");
    // Whether the other services are ready is another question, which the edge answers at its own address: it serves what it can.
    serve(listener, routes, run.ready_until_stopped()).await;
    Ok(())
}
