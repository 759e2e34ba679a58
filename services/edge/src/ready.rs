//! Whether the edge lives, and whether all services behind it are ready.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use http::{Method, StatusCode};
use serde::Serialize;
use tokio::time::timeout;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::handler::wrong_method;
use crate::limits::READY_TIMEOUT;
use crate::upstreams::Upstreams;

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<Unready>,
}

#[derive(Serialize)]
struct Unready {
    service: String,
    reason: &'static str,
}

/// `GET /livez`: 200, as long as anything answers.
pub(crate) async fn live() -> Response {
    Json(Readiness { status: "live", services: Vec::new() }).into_response()
}

/// `GET /readyz`: 200 if all services are ready, else 503 with those that are not, and why.
pub(crate) async fn ready(State(upstreams): State<Upstreams>) -> Response {
    let checks = upstreams.iter().map(|(service, channel)| unready(service, channel));
    let services: Vec<_> = join_all(checks).await.into_iter().flatten().collect();
    match services.is_empty() {
        true => Json(Readiness { status: "ready", services }).into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(Readiness { status: "not ready", services })).into_response(),
    }
}

/// 405 for the two above.
pub(crate) async fn not_get(method: Method) -> Response {
    wrong_method(&method, "GET, HEAD".into()).into_response(&kontor_types::ids::new_uuid().to_string())
}

/// Asks by grpc.health.v1 for the service as a whole.
async fn unready(service: &str, channel: &Channel) -> Option<Unready> {
    let mut client = HealthClient::new(channel.clone());
    let reason = match timeout(READY_TIMEOUT, client.check(HealthCheckRequest::default())).await {
        Ok(Ok(answer)) if answer.get_ref().status() == ServingStatus::Serving => return None,
        Ok(Ok(_)) => "does not serve",
        Ok(Err(status)) if status.code() == Code::Unimplemented => "does not tell its health",
        Ok(Err(_)) => "can't be reached",
        Err(_) => "did not answer within a second",
    };
    Some(Unready { service: service.to_owned(), reason })
}
