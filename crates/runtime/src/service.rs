//! A service as a value: what it consists of. [`Service::serve`] does the rest, which all services do alike.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kontor_postgres::{Migrations, PoolOptions};
use secrecy::ExposeSecret;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::identity::Identity;
use crate::peer::{self, AddressError, Peer};
use crate::process::{self, Error, bind};
use crate::server::Server;
use crate::settings::{DatabaseSettings, IdentitySettings, TokenSettings};
use crate::token::Verifier;

type Start = Box<dyn FnOnce(Host) -> BoxFuture<'static, Result<Server, Error>> + Send>;
type Serve = Box<dyn FnOnce(TcpListener, CancellationToken) -> BoxFuture<'static, Result<(), Error>> + Send>;

/// A service: its name, its address, and how it serves. The futures are boxed here, so that a program that runs a service does not
/// compile the service's code again.
pub struct Service {
    name: &'static str,
    listen: SocketAddr,
    serve: Serve,
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
    database: Option<(PgPool, PoolOptions)>,
}

impl Service {
    /// A service that does not speak gRPC.
    pub fn new<F>(name: &'static str, listen: SocketAddr, serve: F) -> Self
    where
        F: FnOnce(TcpListener, CancellationToken) -> BoxFuture<'static, Result<(), Error>> + Send + 'static,
    {
        Self { name, listen, serve: Box::new(serve) }
    }

    /// A service that speaks gRPC.
    pub fn grpc(name: &'static str, listen: SocketAddr, callers: Callers) -> GrpcService {
        GrpcService { name, listen, callers, schema: None }
    }

    /// The short name, such as "order".
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Serves until `stop`, then drains.
    ///
    /// # Errors
    /// When a setting is wrong, the database can't be reached or migrated, or a part of the service fails.
    pub fn serve(self, listener: TcpListener, stop: CancellationToken) -> BoxFuture<'static, Result<(), Error>> {
        (self.serve)(listener, stop)
    }

    /// Runs the service as a process of its own: telemetry, listener, signals, exit code.
    pub fn run(self) -> ExitCode {
        process::run(&format!("kontor-{}", self.name), |stop| {
            let serving = async move {
                let listener = bind(self.name, self.listen).await?;
                self.serve(listener, stop).await
            };
            serving.boxed()
        })
    }
}

impl GrpcService {
    /// With tables, which are migrated before the service starts. It is ready only while the database answers.
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
        Service::new(name, listen, move |listener, stop| self.serve(start, listener, stop).boxed())
    }

    async fn serve(self, start: Start, listener: TcpListener, stop: CancellationToken) -> Result<(), Error> {
        // What fails in this service stops the rest of it, and no other service.
        let stop = stop.child_token();
        let _stops_what_was_started = stop.clone().drop_guard();
        let host = self.host(listener.local_addr()?, stop.clone()).await?;
        start(host).await?.serve(listener, stop).await
    }

    async fn host(self, address: SocketAddr, stop: CancellationToken) -> Result<Host, Error> {
        let name = self.name;
        let database = match self.schema {
            Some((settings, migrations)) => Some(open_database(name, &settings, &migrations).await?),
            None => None,
        };
        let (verifier, identity) = self.callers.connect()?;
        Ok(Host { address, stop, verifier: Arc::new(verifier), name, identity: identity.map(Arc::new), database })
    }
}

async fn open_database(
    name: &'static str,
    settings: &DatabaseSettings,
    migrations: &Migrations,
) -> Result<(PgPool, PoolOptions), Error> {
    let mut options = PoolOptions::new(settings.url.expose_secret());
    options.max_connections = settings.connections;
    options.application_name = format!("kontor-{name}");
    let pool = kontor_postgres::connect(&options).await?;
    kontor_postgres::migrate(&pool, migrations).await?;
    Ok((pool, options))
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
        let mut server = Server::new(self.name, Arc::clone(&self.verifier));
        if let Some((pool, _)) = self.database.clone() {
            server = server.probe(move || kontor_postgres::ping(pool.clone()));
        }
        if let Some(identity) = self.identity.clone() {
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
    pub fn pool(&self) -> Result<PgPool, Error> {
        let (pool, _) = self.database.as_ref().ok_or("the service names no schema")?;
        Ok(pool.clone())
    }

    /// A second pool, whose connections the calls of the first can't use up.
    ///
    /// # Errors
    /// When the service names no schema, or the database can't be reached.
    pub async fn separate_pool(&self, connections: u32) -> Result<PgPool, Error> {
        let (_, options) = self.database.as_ref().ok_or("the service names no schema")?;
        let options = PoolOptions { max_connections: connections, ..options.clone() };
        Ok(kontor_postgres::connect(&options).await?)
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
