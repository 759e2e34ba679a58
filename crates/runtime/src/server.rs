//! The gRPC server of a service, and what works beside it. The stack, from the outside in: panic catch, measurement, trace, deadline, access, a place and detachment from the caller, then the services,
//! health and reflection.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::{Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;

use crate::access::{AccessError, Rules};
use crate::connections::incoming;
use crate::health::Health;
use crate::layers::{Access, Deadline, Detach, Measure, MiddlewareLayer, Trace, on_panic};
use crate::process::Error;
use crate::readiness::Readiness;
use crate::token::Verifier;
use crate::worker::Worker;

/// How long running calls get to end after the stop signal. Health.Watch streams and idle connections never end by themselves.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long background work gets: longer than sending a mail may take, which would be sent again otherwise.
const TASKS_DRAIN_MAX: Duration = Duration::from_secs(22);
/// After this long a connection is asked to close, so that callers spread over new replicas; drawn anew by each process, so that
/// they do not all come at once.
const CONNECTION_AGE: Range<Duration> = Duration::from_secs(25 * 60)..Duration::from_secs(35 * 60);
/// How often an idle connection is tried, and how long its answer may take.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// Calls at a time on one connection, at most; a client keeps further ones to itself.
const STREAMS_MAX: u32 = 200;

pub(crate) type Probe = Box<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;
type Task = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, Result<(), Error>> + Send>;

/// A server that could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("reflection can't be served")]
    Reflection(#[from] tonic_reflection::server::Error),
    #[error("the server's transport failed")]
    Transport(#[from] tonic::transport::Error),
}

/// The gRPC server of one service.
pub struct Server {
    name: &'static str,
    verifier: Arc<Verifier>,
    routes: Routes,
    rules: Rules,
    services: Vec<String>,
    probes: Vec<Probe>,
    tasks: Vec<Task>,
    drain: BoxFuture<'static, ()>,
    refused: Option<AccessError>,
    health: Option<Health>,
    readiness: Readiness,
}

impl Server {
    /// Of the service with this short name ("order"), with the verifier of its callers' tokens.
    pub fn new(name: &'static str, verifier: Arc<Verifier>) -> Self {
        Self {
            name,
            verifier,
            routes: Routes::default(),
            rules: Rules::default(),
            services: vec![String::new()],
            probes: Vec::new(),
            tasks: Vec::new(),
            drain: std::future::ready(()).boxed(),
            refused: None,
            health: None,
            readiness: Readiness::starting(name),
        }
    }

    /// Keeps these up to date: what callers and operators ask for.
    pub(crate) fn report_to(self, health: Health, readiness: Readiness) -> Self {
        Self { health: Some(health), readiness, ..self }
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

    /// Adds a condition of readiness, which is checked every second.
    #[must_use]
    pub fn probe<F, Fut, E>(mut self, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Error> + 'static,
    {
        self.probes.push(Box::new(move || probe().map(|ready| ready.map_err(Into::into)).boxed()));
        self
    }

    /// Adds a background worker.
    #[must_use]
    pub fn worker(self, worker: Worker) -> Self {
        self.task(|stop| worker.run(stop).map(Ok))
    }

    /// Adds work that goes on beside the calls until it is told to stop. If it fails, the service stops with its error.
    #[must_use]
    pub fn task<F, Fut>(mut self, task: F) -> Self
    where
        F: FnOnce(CancellationToken) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.tasks.push(Box::new(move |stop| task(stop).boxed()));
        self
    }

    /// Sets what is done last, after all calls and tasks have ended. It bounds itself in time.
    #[must_use]
    pub fn drain(mut self, drain: impl Future<Output = ()> + Send + 'static) -> Self {
        self.drain = drain.boxed();
        self
    }

    /// Serves until `stop`, then lets running calls and tasks end, within bounds. A failure cancels `stop`, so that the rest of the
    /// service ends, too.
    ///
    /// # Errors
    /// When the contract can't be served, or the transport or a task fails.
    pub async fn serve(mut self, listener: TcpListener, stop: CancellationToken) -> Result<(), Error> {
        let mut tasks = JoinSet::new();
        for task in std::mem::take(&mut self.tasks) {
            tasks.spawn(task(stop.clone()));
        }
        let drain = std::mem::replace(&mut self.drain, std::future::ready(()).boxed());
        let calls = async {
            let served = self.serve_calls(listener, &stop).await;
            stop.cancel();
            served
        };
        let (served, worked) = tokio::join!(calls, join_tasks(tasks, &stop));
        drain.await;
        served?;
        worked
    }

    async fn serve_calls(self, listener: TcpListener, stop: &CancellationToken) -> Result<(), ServerError> {
        if let Some(error) = self.refused {
            return Err(error.into());
        }
        tracing::info!(
            name = self.name,
            address = listener.local_addr().ok().map(tracing::field::display),
            "listening"
        );
        let health = match self.health {
            Some(health) => health,
            None => Health::not_serving().await,
        };
        let (v1, v1alpha) = (reflection(&self.services).build_v1()?, reflection(&self.services).build_v1alpha()?);
        let infrastructure = health.routes().add_service(v1).add_service(v1alpha);
        let routes = self.routes.into_axum_router().merge(infrastructure.into_axum_router().reset_fallback());
        let watch = health.watch(self.readiness, self.services, stop, self.probes);

        let rules = Arc::new(self.rules);
        let layers = ServiceBuilder::new()
            .layer(CatchPanicLayer::custom(on_panic))
            .layer(MiddlewareLayer(Measure { rules: Arc::clone(&rules) }))
            .layer(MiddlewareLayer(Trace { service: self.name }))
            .layer(MiddlewareLayer(Deadline))
            .layer(MiddlewareLayer(Access { rules: Arc::clone(&rules), verifier: self.verifier }))
            .layer(MiddlewareLayer(Detach::new(rules)));
        let server = tonic::transport::Server::builder()
            .max_connection_age(rand::random_range(CONNECTION_AGE))
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE))
            .max_concurrent_streams(Some(STREAMS_MAX))
            .layer(layers)
            .add_routes(routes.into())
            .serve_with_incoming_shutdown(incoming(listener), stop.clone().cancelled_owned());
        let serve = async {
            let served = server.await;
            stop.cancel();
            served
        };
        let both = async { tokio::join!(serve, watch).0 };
        Ok(until_drained("calls", both, stop, DRAIN_MAX).await.unwrap_or(Ok(()))?)
    }
}

/// Waits for all tasks. The first one that fails stops the service.
async fn join_tasks(mut tasks: JoinSet<Result<(), Error>>, stop: &CancellationToken) -> Result<(), Error> {
    let all = async {
        let mut outcome = Ok(());
        while let Some(ended) = tasks.join_next().await {
            let ended = ended.unwrap_or_else(|panic| Err(panic.into()));
            if ended.is_err() {
                stop.cancel();
            }
            outcome = outcome.and(ended);
        }
        outcome
    };
    until_drained("tasks", all, stop, TASKS_DRAIN_MAX).await.unwrap_or(Ok(()))
}

/// Waits for something that ends after `stop`, and gives it up when that takes too long.
async fn until_drained<T>(
    what: &'static str,
    work: impl Future<Output = T>,
    stop: &CancellationToken,
    time_max: Duration,
) -> Option<T> {
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(time_max).await;
    };
    tokio::select! {
        done = work => Some(done),
        () = too_late => {
            tracing::warn!(what, "drain took too long, cutting off what is left");
            None
        }
    }
}

fn reflection(services: &[String]) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(kontor_proto::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("grpc.health.v1.Health");
    services.iter().filter(|name| !name.is_empty()).fold(builder, |b, name| b.with_service_name(name))
}
