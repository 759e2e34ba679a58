//! Connections that say too little do not stay, on a gRPC port and on an HTTP port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use kontor_runtime::{Server, Verifier, http_server};
use kontor_testkit::issuer::ISSUER;
use kontor_testkit::listener;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longer than a connection may take, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

async fn grpc() -> SocketAddr {
    let (listener, addr) = listener().await;
    let server = Server::new("test", Arc::new(Verifier::local(ISSUER)));
    tokio::spawn(server.serve(listener, CancellationToken::new()));
    addr
}

async fn http() -> SocketAddr {
    let (listener, addr) = listener().await;
    let router = Router::new().route("/", get(async || "here"));
    tokio::spawn(http_server::serve(listener, router, std::future::pending()));
    addr
}

/// Opens a connection, says this, and waits until the other end closes it.
async fn is_closed(addr: SocketAddr, said: &[u8]) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(said).await.unwrap();
    let mut rest = Vec::new();
    let end = timeout(LIMIT, stream.read_to_end(&mut rest)).await;
    assert!(end.is_ok(), "after {:?} the connection stays", String::from_utf8_lossy(said));
}

#[tokio::test]
async fn a_connection_that_says_too_little_is_closed() {
    let (grpc, http) = (grpc().await, http().await);
    tokio::join!(
        is_closed(grpc, b""),
        is_closed(grpc, b"PRI * HTTP"),
        is_closed(http, b""),
        is_closed(http, b"PRI * HTTP"),
        is_closed(http, b"GET / HTTP/1.1\r\nhost:"),
    );
    assert_eq!(reqwest::get(format!("http://{http}/")).await.unwrap().text().await.unwrap(), "here");
}
