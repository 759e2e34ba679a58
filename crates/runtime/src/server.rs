//! The gRPC server of a service. The stack, from the outside in: panic catch, trace, deadline, access, detachment from the caller, then the services,
//! health and reflection.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::{AccessError, Rules};
use crate::health;
use crate::layers::{AccessLayer, DeadlineLayer, DetachLayer, TraceLayer, on_panic};
use crate::token::Verifier;

/// How long running calls get to end after the stop signal. Health.Watch streams and idle connections never end by themselves.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// After this long a connection is asked to close, so that callers spread over new replicas; drawn anew by each process, so that
/// they do not all come at once.
const CONNECTION_AGE: Range<Duration> = Duration::from_secs(25 * 60)..Duration::from_secs(35 * 60);
/// How often an idle connection is tried, and how long its answer may take.
const KEEPALIVE: Duration = Duration::from_secs(20);

type Probe = Box<dyn FnMut() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send>;

/// A server that could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The contract can't be served.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Reflection could not read the contract.
    #[error("reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the server's transport")]
    Transport(#[from] tonic::transport::Error),
}

/// The gRPC server of one service.
pub struct Server {
    name: &'static str,
    verifier: Arc<Verifier>,
    routes: Routes,
    rules: Rules,
    services: Vec<String>,
    probe: Probe,
    refused: Option<AccessError>,
}

impl Server {
    /// Of the service with this short name ("order"), with the verifier of its callers' tokens.
    pub fn new(name: &'static str, verifier: Arc<Verifier>) -> Self {
        let (routes, rules, services) = (Routes::default(), Rules::default(), vec![String::new()]);
        Self { name, verifier, routes, rules, services, probe: Box::new(|| Box::pin(async { Ok(()) })), refused: None }
    }

    /// Adds a gRPC service of the contract. One with a method that has no access rule makes [`Self::serve`] refuse.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = std::convert::Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        if let Err(error) = self.rules.add(crate::contract(), S::NAME) {
            self.refused.get_or_insert(error);
        }
        self.services.push(S::NAME.to_owned());
        self.routes = self.routes.add_service(service);
        self
    }

    /// Sets what decides whether the service is ready; asked every second.
    #[must_use]
    pub fn probe<F, Fut>(mut self, mut probe: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.probe = Box::new(move || Box::pin(probe()));
        self
    }

    /// Serves until `stop`, then lets running calls end, for ten seconds at most.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> Result<(), ServerError> {
        let stop = stop.child_token();
        if let Some(error) = self.refused {
            return Err(error.into());
        }
        tracing::info!(
            name = self.name,
            address = listener.local_addr().ok().map(tracing::field::display),
            "listening"
        );
        let (reporter, health) = tonic_health::server::health_reporter();
        health::begin(&reporter, &self.services).await;
        let watch = health::watch(self.name, reporter, self.services.clone(), stop.clone(), self.probe);
        let (v1, v1alpha) = (reflection(&self.services).build_v1()?, reflection(&self.services).build_v1alpha()?);
        let routes = self.routes.add_service(health).add_service(v1).add_service(v1alpha);

        let layers = ServiceBuilder::new()
            .layer(CatchPanicLayer::custom(on_panic))
            .layer(TraceLayer { service: self.name })
            .layer(DeadlineLayer)
            .layer(AccessLayer { rules: Arc::new(self.rules), verifier: self.verifier })
            .layer(DetachLayer);
        let server = tonic::transport::Server::builder()
            .max_connection_age(rand::random_range(CONNECTION_AGE))
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .layer(layers)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming(listener), stop.clone().cancelled_owned());

        let drained = async {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN_MAX).await;
            tracing::warn!("some calls did not end in time; closing their connections");
        };
        let serve = async {
            let ended = server.await;
            stop.cancel();
            ended
        };
        tokio::select! {
            (ended, ()) = async { tokio::join!(serve, watch) } => Ok(ended?),
            () = drained => Ok(()),
        }
    }
}

fn incoming(listener: TcpListener) -> TcpIncoming {
    TcpIncoming::from(TcpListenerStream::new(listener).into_inner()).with_nodelay(Some(true))
}

fn reflection(services: &[String]) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(kontor_proto::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    services.iter().filter(|name| !name.is_empty()).fold(builder, |b, name| b.with_service_name(name))
}
