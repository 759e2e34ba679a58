//! `grpc.health.v1`: whether a service is ready. Probes of its database and its peers decide.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::fault::chain;
use crate::readiness::Readiness;
use crate::server::Probe;

/// How often the probes are made, and how long they may take.
const EVERY: Duration = Duration::from_secs(1);
/// How soon they are made again after one has failed.
const RETRY: Duration = Duration::from_millis(250);

/// The health service, and what sets its answers.
#[derive(Clone)]
pub(crate) struct Health {
    reporter: HealthReporter,
    routes: Routes,
}

impl Health {
    /// Of a server that does not serve yet. tonic's reporter would say that it does, until the first probe has ended.
    pub(crate) async fn not_serving() -> Self {
        let (reporter, service) = tonic_health::server::health_reporter();
        reporter.set_service_status("", ServingStatus::NotServing).await;
        Self { reporter, routes: Routes::new(service) }
    }

    /// The routes of the health service.
    pub(crate) fn routes(&self) -> Routes {
        self.routes.clone()
    }

    /// Keeps the status of the services (and of "", the whole server) as the probes find it, until `stop`.
    pub(crate) async fn watch(
        self,
        readiness: Readiness,
        services: Vec<String>,
        stop: &CancellationToken,
        probes: Vec<Probe>,
    ) {
        self.set_all(&services, ServingStatus::NotServing).await;
        while !stop.is_cancelled() {
            let found = probe(&probes).await;
            if found.is_ok() != readiness.is_ready() {
                let status = if found.is_ok() { ServingStatus::Serving } else { ServingStatus::NotServing };
                self.set_all(&services, status).await;
            }
            let pause = if found.is_ok() { EVERY } else { RETRY };
            readiness.set(found);
            let _ = tokio::time::timeout(pause, stop.cancelled()).await;
        }
        readiness.set(Err("it is stopping".into()));
        self.set_all(&services, ServingStatus::NotServing).await;
    }

    async fn set_all(&self, services: &[String], status: ServingStatus) {
        for service in services {
            self.reporter.set_service_status(service, status).await;
        }
    }
}

async fn probe(probes: &[Probe]) -> Result<(), String> {
    let all = try_join_all(probes.iter().map(|probe| probe()));
    match tokio::time::timeout(EVERY, all).await {
        Ok(ready) => ready.map(drop).map_err(|error| chain(error.as_ref())),
        Err(_) => Err(format!("the database or a peer did not answer within {} s", EVERY.as_secs())),
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
