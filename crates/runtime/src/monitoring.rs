//! What a process tells those who run it, in plain HTTP at an address of its own: `/livez`, `/readyz` and `/metrics`. It is apart from the
//! services' ports, so that it needs neither their TLS nor their access rules, and is open to the operator's network only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::http_server;
use crate::metrics;
use crate::process::{Error, bind};
use crate::readiness::Readiness;

/// How long `health` waits for the process.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// The text format of Prometheus.
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer of `/readyz`.
#[derive(Debug, Serialize, Deserialize)]
struct Ready {
    status: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<Cause>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Cause {
    service: String,
    cause: String,
}

/// Serves the routes of a process with these services, and more, until the guard is dropped. Without an address, it does nothing.
///
/// # Errors
/// When the address is taken.
pub async fn start(
    addr: Option<SocketAddr>,
    services: Vec<Readiness>,
    more: Router,
) -> Result<Option<DropGuard>, Error> {
    let Some(addr) = addr else { return Ok(None) };
    let listener = bind("monitoring (--metrics-addr)", addr).await?;
    tracing::info!(address = listener.local_addr().ok().map(tracing::field::display), "monitoring");
    // From now on, and not only when the readiness changes.
    services.iter().for_each(|service| metrics::set_ready(service.service(), service.cause().is_none()));
    let stop = CancellationToken::new();
    let (routes, stopped) = (routes(services).merge(more), stop.clone().cancelled_owned());
    tokio::spawn(async { http_server::serve(listener, routes, stopped).await });
    Ok(Some(stop.drop_guard()))
}

fn routes(services: Vec<Readiness>) -> Router {
    Router::new()
        .route("/livez", get(async || "live\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(async || ([(CONTENT_TYPE, PROMETHEUS_TEXT)], metrics::render())))
        .with_state(Arc::from(services))
}

async fn ready(State(services): State<Arc<[Readiness]>>) -> Response {
    let cause = |service: &Readiness| Some(Cause { service: service.service().into(), cause: service.cause()? });
    let causes: Vec<_> = services.iter().filter_map(cause).collect();
    match causes.is_empty() {
        true => Json(Ready { status: "ready".into(), causes }).into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(Ready { status: "not ready".into(), causes })).into_response(),
    }
}

/// Asks the process of this machine or container whose monitoring listens at this address.
///
/// # Errors
/// The causes for which it is not ready, or that it does not answer.
pub async fn health(listen: SocketAddr) -> Result<(), Error> {
    let url = format!("http://{}/readyz", on_this_machine(listen));
    let client = reqwest::Client::builder().timeout(HEALTH_TIMEOUT).no_proxy().build()?;
    let answer = client.get(&url).send().await?;
    if answer.status().is_success() {
        return Ok(());
    }
    let causes = answer.json::<Ready>().await?.causes;
    let causes: Vec<_> = causes.iter().map(|cause| format!("{}: {}", cause.service, cause.cause)).collect();
    Err(causes.join("; ").into())
}

/// Where to reach a server that listens on all addresses.
fn on_this_machine(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn serve(services: Vec<Readiness>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async { crate::http_server::serve(listener, routes(services), std::future::pending()).await });
        addr
    }

    #[tokio::test]
    async fn health_tells_the_causes() {
        let (auth, order) = (Readiness::starting("auth"), Readiness::starting("order"));
        let addr = serve(vec![auth.clone(), order.clone()]).await;
        auth.set(Ok(()));
        assert_eq!(health(addr).await.unwrap_err().to_string(), "order: it is starting");
        order.set(Ok(()));
        let everywhere = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), addr.port());
        health(everywhere).await.unwrap();
    }

    #[tokio::test]
    async fn a_process_that_does_not_answer_is_not_healthy() {
        let closed = { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
        assert!(health(closed).await.is_err());
    }
}
