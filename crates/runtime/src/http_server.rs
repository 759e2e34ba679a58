//! An HTTP server: HTTP/1.1 and HTTP/2 (with prior knowledge) on one listener, and the drain at the end. For the edge, and for monitoring.

use std::pin::pin;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use futures_util::StreamExt;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connections::{Connection, HEAD_TIMEOUT, incoming};

/// How long open requests have to end once the server is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a quiet HTTP/2 connection is asked whether it still lives.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// Requests at a time on one HTTP/2 connection, at most.
const STREAMS_MAX: u32 = 200;

/// Serves until `shutdown` ends, then takes no more connections and gives open requests twenty seconds to end.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::select! {
        () = serve_connections(listener, &router, &graceful, &mut connections) => {}
        () = shutdown => {}
    }
    if timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections that did not end in time are cut");
    }
}

async fn serve_connections(
    listener: TcpListener,
    router: &Router,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
) {
    let (builder, mut incoming) = (builder(), pin!(incoming(listener)));
    while let Some(accepted) = incoming.next().await {
        while connections.try_join_next().is_some() {}
        let Ok(accepted) = accepted else { continue };
        let router = router.clone().layer(Extension(ConnectInfo(accepted.peer)));
        connections.spawn(connection(builder.clone(), accepted, router, graceful.watcher()));
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE_INTERVAL).max_concurrent_streams(STREAMS_MAX);
    builder
}

async fn connection(builder: Builder<TokioExecutor>, accepted: Connection, router: Router, watcher: Watcher) {
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection(TokioIo::new(accepted), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error, "a connection broke");
    }
}
