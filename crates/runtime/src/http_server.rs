//! An HTTP server: HTTP/1.1 and HTTP/2 (with prior knowledge) on one listener, and the drain at the end. For the edge, and for monitoring.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a caller may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long open requests have to end once the server is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a quiet HTTP/2 connection is asked whether it still lives.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
/// Connections at a time, at most; further ones wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 10_000;
/// Requests at a time on one HTTP/2 connection, at most.
const STREAMS_MAX: u32 = 200;

/// How long to wait after a connection could not be accepted, which mostly means too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` ends, then takes no more connections and gives open requests twenty seconds to end.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let drain = Drain { graceful: GracefulShutdown::new(), stopping: CancellationToken::new() };
    let mut connections = JoinSet::new();
    tokio::select! {
        () = accept(&listener, &router, &drain, &mut connections) => {}
        () = shutdown => {}
    }
    drop(listener);
    drain.stopping.cancel();
    if timeout(DRAIN_TIMEOUT, drain.graceful.shutdown()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections that did not end in time are cut");
    }
}

/// Tells connections to end: those that serve requests, and those that have not said anything yet.
struct Drain {
    graceful: GracefulShutdown,
    stopping: CancellationToken,
}

async fn accept(listener: &TcpListener, router: &Router, drain: &Drain, connections: &mut JoinSet<()>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let builder = builder();
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (builder, router, watcher) = (builder.clone(), router.clone(), drain.graceful.watcher());
        let stopping = drain.stopping.clone();
        connections.spawn(async move {
            if let Some(true) = stopping.run_until_cancelled_owned(speaks(&stream)).await {
                connection(builder, stream, router.layer(Extension(ConnectInfo(peer))), watcher).await;
            }
            drop(slot);
        });
    }
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE_INTERVAL).max_concurrent_streams(STREAMS_MAX);
    builder
}

/// Waits for the first byte: hyper has no timeout until it knows the protocol.
async fn speaks(stream: &TcpStream) -> bool {
    matches!(timeout(HEAD_TIMEOUT, stream.readable()).await, Ok(Ok(())))
}

async fn connection(builder: Builder<TokioExecutor>, stream: TcpStream, router: Router, watcher: Watcher) {
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(error, "a connection broke");
    }
}
