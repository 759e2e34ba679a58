//! `grpc.health.v1`: what a service says of itself. A probe of its own (its database, its peers) decides.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// How often the probe is made, and how long it may take.
const EVERY: Duration = Duration::from_secs(1);

/// Says of all services, and of "", that they do not serve yet. tonic's reporter would say of "" that it serves, and of the
/// services that it never heard of them, until the first probe has ended.
pub(crate) async fn begin(reporter: &HealthReporter, services: &[String]) {
    set_all(reporter, services, ServingStatus::NotServing).await;
}

/// Keeps the status of the services (and of "", the whole server) as the probe finds it, until `stop`.
pub(crate) async fn watch<F, Fut>(
    name: &'static str,
    reporter: HealthReporter,
    services: Vec<String>,
    stop: CancellationToken,
    mut probe: F,
) where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<(), String>>,
{
    let mut was_ready = None;
    while !stop.is_cancelled() {
        let found = tokio::time::timeout(EVERY, probe()).await.unwrap_or_else(|_| Err("no answer in time".into()));
        if was_ready != Some(found.is_ok()) {
            was_ready = Some(found.is_ok());
            match found {
                Ok(()) => tracing::info!(name, "ready"),
                Err(why) => tracing::warn!(name, why, "not ready"),
            }
            let status = if was_ready == Some(true) { ServingStatus::Serving } else { ServingStatus::NotServing };
            set_all(&reporter, &services, status).await;
        }
        let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
    }
    set_all(&reporter, &services, ServingStatus::NotServing).await;
}

async fn set_all(reporter: &HealthReporter, services: &[String], status: ServingStatus) {
    for service in services {
        reporter.set_service_status(service, status).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    use crate::{Server, Verifier, peer};

    #[tokio::test]
    async fn nothing_serves_before_the_first_probe_has_ended() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let channel = peer::channel(&listener.local_addr().unwrap().to_string()).unwrap();
        let server = Server::new("slow", Arc::new(Verifier::local("http://issuer.test"))).probe(std::future::pending);
        tokio::spawn(server.serve(listener, CancellationToken::new()));
        let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap();
        assert_eq!(answer.get_ref().status(), tonic_health::ServingStatus::NotServing.into());
    }
}
