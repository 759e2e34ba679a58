//! The connection pool: limits, timeouts, and a check of connections that lay idle.

use std::fmt;
use std::io;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};

use crate::Error;

/// A connection used more recently than this is taken as alive.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// How long an idle connection may take to answer before it is thrown away.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// How long a round of a loop may take: longer than any of the server's timeouts.
const WORK_MAX: Duration = Duration::from_secs(30);

/// How a service connects. Start from [`PoolOptions::new`] and change what differs.
#[derive(Clone)]
pub struct PoolOptions {
    /// `postgres://user:password@host/database`. Secret: it holds the password.
    pub url: String,
    pub max_connections: u32,
    /// How long a caller waits for a connection, opening one included.
    pub acquire_timeout: Duration,
    /// The server ends a statement that runs longer.
    pub statement_timeout: Duration,
    /// The server ends a transaction that sends nothing for this long.
    pub idle_in_transaction_timeout: Duration,
    /// How the connections show in `pg_stat_activity`.
    pub application_name: String,
}

impl PoolOptions {
    /// Ten connections, 5 s to get one, 10 s for a statement, 10 s of silence in a transaction.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(10),
            application_name: "kontor".to_owned(),
        }
    }

    fn connect_options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        let idle = self.idle_in_transaction_timeout.as_millis();
        let options: PgConnectOptions = self.url.parse()?;
        Ok(options.application_name(&self.application_name).options([
            ("statement_timeout", self.statement_timeout.as_millis()),
            ("idle_in_transaction_session_timeout", idle),
        ]))
    }
}

impl fmt::Debug for PoolOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolOptions")
            .field("url", &"[hidden]")
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("idle_in_transaction_timeout", &self.idle_in_transaction_timeout)
            .field("application_name", &self.application_name)
            .finish()
    }
}

/// Opens a pool, and one connection to know that the database answers.
///
/// # Errors
/// When the URL cannot be read, or the database cannot be reached within `acquire_timeout`.
pub async fn connect(options: &PoolOptions) -> Result<PgPool, Error> {
    let pool = connect_lazy(options)?;
    drop(pool.acquire().await?);
    Ok(pool)
}

/// A pool that opens its connections when they are needed: the database may be away.
///
/// # Errors
/// When the URL can't be read.
pub fn connect_lazy(options: &PoolOptions) -> Result<PgPool, Error> {
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        // A ping before every use would cost a round trip; see `check_idle`.
        .test_before_acquire(false)
        .before_acquire(|conn, meta| Box::pin(check_idle(conn, meta.idle_for)))
        .connect_lazy_with(options.connect_options()?);
    Ok(pool)
}

/// Bounds work that is done over and over on the client's side too: where packets vanish, the timeouts of the server are never heard of.
///
/// # Errors
/// [`sqlx::Error::Io`] when the time is up; whether the work was done is unknown then.
pub async fn with_timeout<T, E: From<sqlx::Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let done = tokio::time::timeout(WORK_MAX, work).await;
    done.unwrap_or_else(|_elapsed| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()).into()))
}

/// Asks a connection that lay idle whether it still lives.
///
/// sqlx sets no TCP keepalive, so a connection whose packets vanish looks healthy and would cost
/// its user the whole acquire timeout. An error makes the pool drop it without a farewell, which
/// would hang as well.
async fn check_idle(conn: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    if idle_for < TRUSTED_IDLE {
        return Ok(true);
    }
    match tokio::time::timeout(PING_LIMIT, conn.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_elapsed) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::PoolOptions;

    #[test]
    fn debug_output_hides_the_url() {
        let shown = format!("{:?}", PoolOptions::new("postgres://a:hunter2@localhost/d"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
