//! `grpc.health.v1`: whether a service is ready. Probes of its database and its peers decide.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio_util::sync::CancellationToken;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::fault::chain;
use crate::server::Probe;

/// How often the probe is made, and how long it may take.
const EVERY: Duration = Duration::from_secs(1);

/// Says of all services, and of "", that they do not serve yet. tonic's reporter would say of "" that it serves, and of the
/// services that it never heard of them, until the first probe has ended.
pub(crate) async fn begin(reporter: &HealthReporter, services: &[String]) {
    set_all(reporter, services, ServingStatus::NotServing).await;
}

/// Keeps the status of the services (and of "", the whole server) as the probes find it, until `stop`.
pub(crate) async fn watch(
    name: &'static str,
    reporter: HealthReporter,
    services: Vec<String>,
    stop: &CancellationToken,
    probes: Vec<Probe>,
) {
    let mut was_ready = None;
    while !stop.is_cancelled() {
        let found = probe(&probes).await;
        if was_ready != Some(found.is_ok()) {
            was_ready = Some(found.is_ok());
            let status = match found {
                Ok(()) => {
                    tracing::info!(name, "ready");
                    ServingStatus::Serving
                }
                Err(reason) => {
                    tracing::warn!(name, reason, "not ready");
                    ServingStatus::NotServing
                }
            };
            set_all(&reporter, &services, status).await;
        }
        let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
    }
    set_all(&reporter, &services, ServingStatus::NotServing).await;
}

async fn probe(probes: &[Probe]) -> Result<(), String> {
    let all = try_join_all(probes.iter().map(|probe| probe()));
    match tokio::time::timeout(EVERY, all).await {
        Ok(ready) => ready.map(drop).map_err(|error| chain(error.as_ref())),
        Err(_) => Err("no answer in time".into()),
    }
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
        let server = Server::new("slow", Arc::new(Verifier::local("http://issuer.test")))
            .probe(std::future::pending::<Result<(), crate::Error>>);
        tokio::spawn(server.serve(listener, CancellationToken::new()));
        let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await.unwrap();
        assert_eq!(answer.get_ref().status(), tonic_health::ServingStatus::NotServing.into());
    }
}
