//! What a service does until its database is there: it waits, answers calls with UNAVAILABLE, and says why.

use std::os::fd::AsFd;
use std::time::Duration;

use http::Request;
use kontor_postgres::{Migrations, Pool, SchemaState, schema};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::body::Body;

use crate::connections::incoming;
use crate::fault::{Fault, chain};
use crate::health::Health;
use crate::layers::{Inner, Middleware, MiddlewareLayer, Outcome};
use crate::process::Error;
use crate::readiness::Readiness;

/// How often the database is tried.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long one try may take: longer than it takes to get a connection.
const TRY_MAX: Duration = Duration::from_secs(4);

/// Who brings the schema up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Migrate {
    /// The service itself, before it starts.
    Here,
    /// The command `migrate`, which the service waits for.
    Elsewhere,
}

pub(crate) struct Schema {
    pub(crate) pool: Pool,
    pub(crate) migrations: Migrations,
    pub(crate) migrate: Migrate,
}

/// Waits until the schema is current; false if `stop` came first.
///
/// # Errors
/// When waiting is of no use: a newer program has migrated the schema, or another one.
pub(crate) async fn wait_for(
    schema: &Schema,
    (listener, health): (&TcpListener, &Health),
    readiness: &Readiness,
    stop: &CancellationToken,
) -> Result<bool, Error> {
    let mut answering = None;
    // A try may hang as long as its time limit; who stops the service does not wait for it.
    while let Some(tried) = stop.run_until_cancelled(schema.obstacle()).await {
        let Some(cause) = tried? else { return Ok(true) };
        readiness.set(Err(cause));
        if answering.is_none() {
            answering = Some(answer(listener, health)?);
        }
        let _ = tokio::time::timeout(INTERVAL, stop.cancelled()).await;
    }
    Ok(false)
}

impl Schema {
    /// What is in the way of a start, for now.
    async fn obstacle(&self) -> Result<Option<String>, Error> {
        let tried = tokio::time::timeout(TRY_MAX, self.compare());
        match tried.await {
            Ok(Ok(SchemaState::Current)) => Ok(None),
            Ok(Ok(SchemaState::Older { .. })) if self.migrate == Migrate::Here => {
                Ok(kontor_postgres::migrate(&self.pool, &self.migrations).await.map(|()| None)?)
            }
            Ok(Ok(state @ SchemaState::Older { .. })) => Ok(Some(state.to_string())),
            Ok(Ok(state @ (SchemaState::Newer { .. } | SchemaState::Changed { .. }))) => Err(state.to_string().into()),
            Ok(Err(error)) => Ok(Some(format!("the database is not available: {}", kontor_postgres::text(&error)))),
            Err(_elapsed) => Ok(Some("the database does not answer".into())),
        }
    }

    async fn compare(&self) -> Result<SchemaState, sqlx::Error> {
        let mut conn = self.pool.acquire().await?;
        let state = schema::compare(&mut conn, &self.migrations).await?;
        if state != SchemaState::Current {
            // The search path of a role is set for new sessions only: one that began before `migrate` would never see the schema.
            conn.close().await?;
        }
        Ok(state)
    }
}

/// Waits for the next attempt at what the database was not available for.
///
/// # Errors
/// When the service is to stop: with the cause.
pub(crate) async fn pause(readiness: &Readiness, stop: &CancellationToken, cause: Error) -> Result<(), Error> {
    readiness.set(Err(chain(cause.as_ref())));
    match tokio::time::timeout(INTERVAL, stop.cancelled()).await {
        Ok(()) => Err(cause),
        Err(_elapsed) => Ok(()),
    }
}

/// Answers calls on the listener until the guard is dropped. The health of the service is told meanwhile, by the same service
/// as later, so that those who watch it go on to do so.
fn answer(listener: &TcpListener, health: &Health) -> Result<DropGuard, Error> {
    let listener = std::net::TcpListener::from(listener.as_fd().try_clone_to_owned()?);
    let (listener, stop) = (TcpListener::from_std(listener)?, CancellationToken::new());
    let server = tonic::transport::Server::builder()
        .layer(MiddlewareLayer(Unavailable))
        .add_routes(health.routes())
        .serve_with_incoming_shutdown(incoming(listener), stop.clone().cancelled_owned());
    tokio::spawn(async move {
        if let Err(error) = server.await {
            tracing::warn!(error = %chain(&error), "calls could not be answered before the start");
        }
    });
    Ok(stop.drop_guard())
}

/// Refuses each call but those for the health.
#[derive(Clone)]
struct Unavailable;

impl Middleware for Unavailable {
    fn handle<S: Inner>(&self, _: Request<Body>, _: S) -> impl Future<Output = Outcome> + Send + 'static {
        let status = tonic::Status::from(Fault::unavailable("this service is starting; try again"));
        std::future::ready(Ok(status.into_http()))
    }
}
