//! A service as a value: what it consists of. [`Service::serve`] does the rest, which all services do alike.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kontor_postgres::{Migrations, Pool, PoolOptions, readiness};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::identity::Identity;
use crate::monitoring;
use crate::peer::{self, AddressError, Peer};
use crate::process::{self, Error, bind};
use crate::readiness::Readiness;
use crate::server::Server;
use crate::settings::{DatabaseSettings, IdentitySettings, ProcessSettings, TokenSettings};
use crate::starting::{self, Migrate, Schema};
use crate::token::Verifier;

/// Connections for the probe of the database: one, and another one while the first is found to be broken.
const PROBE_CONNECTIONS: u32 = 2;

type Start = Box<dyn FnOnce(Host) -> BoxFuture<'static, Result<Server, Error>> + Send>;
type Serve = Box<dyn FnOnce(TcpListener, Run) -> BoxFuture<'static, Result<(), Error>> + Send>;

/// A service: its name, its address, and how it serves. The futures are boxed here, so that a program that runs a service does not
/// compile the service's code again.
pub struct Service {
    name: &'static str,
    listen: SocketAddr,
    serve: Serve,
    readiness: Readiness,
    migrate: Migrate,
    monitoring: Router,
}

/// What a service needs to know while it serves.
pub struct Run {
    /// Cancelled when the service is to stop.
    pub stop: CancellationToken,
    readiness: Readiness,
    migrate: Migrate,
}

/// How a service knows its callers, and how other services know it.
pub enum Callers {
    /// Verifies tokens by the keys that auth publishes.
    Remote(TokenSettings),
    /// Like that; calls other services with an identity of its own, and hears from auth what was revoked.
    Peers(IdentitySettings),
    /// Tells its verifier by itself which keys of this issuer count, and what was revoked: auth.
    Local(String),
}

/// A service that speaks gRPC, up to how it starts.
pub struct GrpcService {
    name: &'static str,
    listen: SocketAddr,
    callers: Callers,
    schema: Option<(DatabaseSettings, Migrations)>,
}

/// What a service finds when it starts.
pub struct Host {
    pub address: SocketAddr,
    /// Cancelled when the service is to stop.
    pub stop: CancellationToken,
    pub verifier: Arc<Verifier>,
    name: &'static str,
    identity: Option<Arc<Identity>>,
    database: Option<Database>,
    reports: (Health, Readiness),
}

/// The database of a service.
struct Database {
    schema: Schema,
    options: PoolOptions,
    /// For the probe: calls that wait in line for a connection are no reason to take none of them any more.
    probes: Pool,
}

impl Service {
    /// A service that does not speak gRPC.
    pub fn new<F>(name: &'static str, listen: SocketAddr, serve: F) -> Self
    where
        F: FnOnce(TcpListener, Run) -> BoxFuture<'static, Result<(), Error>> + Send + 'static,
    {
        let (readiness, migrate, monitoring) = (Readiness::starting(name), Migrate::Elsewhere, Router::new());
        Self { name, listen, serve: Box::new(serve), readiness, migrate, monitoring }
    }

    /// A service that speaks gRPC.
    pub fn grpc(name: &'static str, listen: SocketAddr, callers: Callers) -> GrpcService {
        GrpcService { name, listen, callers, schema: None }
    }

    /// Migrates the schema by itself before it starts, and does not wait for the command `migrate`.
    #[must_use]
    pub fn migrating(self) -> Self {
        Self { migrate: Migrate::Here, ..self }
    }

    /// Adds routes to those for monitoring, when it runs as a process of its own.
    #[must_use]
    pub fn monitoring(self, routes: Router) -> Self {
        Self { monitoring: self.monitoring.merge(routes), ..self }
    }

    /// The short name, such as "order".
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is ready, now and later.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Serves until `stop`, then drains. A database that is away, or a schema that is older, is waited for.
    ///
    /// # Errors
    /// When a setting is wrong, the schema is newer than this program, or a part of the service fails.
    pub fn serve(self, listener: TcpListener, stop: CancellationToken) -> BoxFuture<'static, Result<(), Error>> {
        (self.serve)(listener, Run { stop, readiness: self.readiness, migrate: self.migrate })
    }

    /// Runs the service as a process of its own: telemetry, listeners, signals, exit code.
    pub fn run(self, settings: &ProcessSettings) -> ExitCode {
        let metrics_addr = settings.metrics_addr;
        process::run(&format!("kontor-{}", self.name), settings, move |stop| {
            self.serve_process(metrics_addr, stop).boxed()
        })
    }

    async fn serve_process(mut self, metrics_addr: Option<SocketAddr>, stop: CancellationToken) -> Result<(), Error> {
        let listener = bind(self.name, self.listen).await?;
        let routes = std::mem::take(&mut self.monitoring);
        let monitored = monitoring::start(metrics_addr, vec![self.readiness()], routes).await?;
        let served = self.serve(listener, stop).await;
        // To the end of the drain, so that those who ask are told of it.
        drop(monitored);
        served
    }
}

impl Run {
    /// Tells that the service is ready, or that it is stopping once that is so.
    pub async fn ready_until_stopped(self) {
        self.readiness.set(Ok(()));
        self.stop.cancelled().await;
        self.readiness.set(Err("it is stopping".into()));
    }
}

impl GrpcService {
    /// With tables. The service starts when they are there, and is ready only while the database answers.
    #[must_use]
    pub fn schema(self, settings: DatabaseSettings, migrations: Migrations) -> Self {
        Self { schema: Some((settings, migrations)), ..self }
    }

    /// With what makes its server: gRPC services, probes, workers.
    pub fn start<F, Fut>(self, start: F) -> Service
    where
        F: FnOnce(Host) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Server, Error>> + Send + 'static,
    {
        self.start_boxed(Box::new(move |host| start(host).boxed()))
    }

    /// Not generic, so that the whole server is compiled here, and not once more for each service.
    fn start_boxed(self, start: Start) -> Service {
        let (name, listen) = (self.name, self.listen);
        Service::new(name, listen, move |listener, run| self.serve(start, listener, run).boxed())
    }

    async fn serve(self, start: Start, listener: TcpListener, run: Run) -> Result<(), Error> {
        // What fails in this service stops the rest of it, and no other service.
        let stop = run.stop.child_token();
        let _stops_what_was_started = stop.clone().drop_guard();
        let health = Health::not_serving().await;
        let database = self.schema.as_ref().map(|(settings, migrations)| {
            Database::connect(pool_options(self.name, settings), migrations.clone(), run.migrate)
        });
        let database = database.transpose()?;
        if let Some(Database { schema, .. }) = &database
            && !starting::wait_for(schema, (&listener, &health), &run.readiness, &stop).await?
        {
            return Ok(());
        }
        let (address, reports) = (listener.local_addr()?, (health, run.readiness));
        let (verifier, identity) = self.callers.connect()?;
        let (verifier, identity) = (Arc::new(verifier), identity.map(Arc::new));
        let host = Host { address, stop: stop.clone(), verifier, name: self.name, identity, database, reports };
        start(host).await?.serve(listener, stop).await
    }
}

impl Database {
    fn connect(options: PoolOptions, migrations: Migrations, migrate: Migrate) -> Result<Self, kontor_postgres::Error> {
        let pool = kontor_postgres::connect_lazy(&options)?;
        let probes =
            kontor_postgres::connect_lazy(&PoolOptions { max_connections: PROBE_CONNECTIONS, ..options.clone() })?;
        Ok(Self { schema: Schema { pool, migrations, migrate }, options, probes })
    }
}

fn pool_options(name: &'static str, settings: &DatabaseSettings) -> PoolOptions {
    let mut options = PoolOptions::new(settings.url.expose_secret());
    options.max_connections = settings.connections;
    options.application_name = format!("kontor-{name}");
    options
}

impl Callers {
    fn connect(self) -> Result<(Verifier, Option<Identity>), AddressError> {
        match self {
            Self::Remote(tokens) => Ok((Verifier::remote(&tokens.issuer, peer::channel(&tokens.auth_addr)?), None)),
            Self::Peers(IdentitySettings { tokens, service_key }) => {
                let auth = peer::channel(&tokens.auth_addr)?;
                let identity = Identity::new(service_key, auth.clone());
                Ok((Verifier::remote(&tokens.issuer, auth), Some(identity)))
            }
            Self::Local(issuer) => Ok((Verifier::local(&issuer), None)),
        }
    }
}

impl Host {
    /// The server, to add gRPC services to. It has what every service has: the probe of its database, and the stream of revocations.
    pub fn server(&self) -> Server {
        let (health, readiness) = self.reports.clone();
        let mut server = Server::new(self.name, Arc::clone(&self.verifier)).report_to(health, readiness);
        if let Some(Database { schema, probes, .. }) = &self.database {
            let (pool, migrations) = (probes.clone(), schema.migrations.clone());
            server = server.probe(move || readiness::check(pool.clone(), migrations.clone()));
        }
        if let Some(identity) = self.identity.clone() {
            let key = Arc::clone(&identity);
            server = server.probe(move || std::future::ready(key.check()));
            let verifier = Arc::clone(&self.verifier);
            server = server.task(move |stop| async move {
                verifier.listen(identity, &stop).await;
                Ok(())
            });
        }
        server
    }

    /// The pool of the service's own database.
    ///
    /// # Errors
    /// When the service names no schema.
    pub fn pool(&self) -> Result<Pool, Error> {
        let database = self.database.as_ref().ok_or("the service names no schema")?;
        Ok(database.schema.pool.clone())
    }

    /// A second pool, whose connections the calls of the first can't use up.
    ///
    /// # Errors
    /// When the service names no schema.
    pub fn separate_pool(&self, connections: u32) -> Result<Pool, Error> {
        let database = self.database.as_ref().ok_or("the service names no schema")?;
        let options = PoolOptions { max_connections: connections, ..database.options.clone() };
        Ok(kontor_postgres::connect_lazy(&options)?)
    }

    /// Does something that the service needs to start, again and again while the database is not available.
    ///
    /// # Errors
    /// When it fails otherwise, or the service is to stop.
    pub async fn retry_outages<T, E, F, Fut>(&self, mut work: F, is_outage: fn(&E) -> bool) -> Result<T, Error>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Into<Error>,
    {
        loop {
            match work().await {
                Ok(done) => return Ok(done),
                Err(error) if !is_outage(&error) => return Err(error.into()),
                Err(error) => starting::pause(&self.reports.1, &self.stop, error.into()).await?,
            }
        }
    }

    /// Another service, to be called with this one's identity.
    ///
    /// # Errors
    /// When the service has no identity, or the address is none.
    pub fn peer(&self, address: &str) -> Result<Peer, Error> {
        let identity = self.identity.as_ref().ok_or("the service has no identity towards others")?;
        Ok(Peer::new(peer::channel(address)?, Arc::clone(identity)))
    }
}
