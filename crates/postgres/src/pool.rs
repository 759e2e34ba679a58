//! The connection pool: limits, timeouts, a check of connections that lay idle, and what is measured of it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use log::LevelFilter;
use opentelemetry::KeyValue;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction};

use crate::{Error, metrics};

/// A connection used more recently than this is taken as alive.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// How long an idle connection may take to answer before it is thrown away.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// A statement that takes longer is logged as a warning, without its values and in the span of its call.
const SLOW_STATEMENT: Duration = Duration::from_secs(1);

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
    /// How the connections show in `pg_stat_activity`: `kontor-order`. Metrics call the pool `order` then.
    pub application_name: String,
}

impl PoolOptions {
    /// Ten connections, 3 s to get one (so that a caller who waits 5 s is told why), 10 s for a statement, 10 s of silence in a transaction.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(10),
            application_name: "kontor".to_owned(),
        }
    }

    fn connect_options(&self) -> Result<PgConnectOptions, sqlx::Error> {
        let idle = self.idle_in_transaction_timeout.as_millis();
        let options: PgConnectOptions = self.url.parse()?;
        let options = options.log_slow_statements(LevelFilter::Warn, SLOW_STATEMENT);
        // Where nobody asks for them, the lines about all statements would still cost two look-ups of the filter each.
        let is_asked_for = tracing::enabled!(target: "sqlx::query", tracing::Level::DEBUG);
        let options = options.log_statements(if is_asked_for { LevelFilter::Debug } else { LevelFilter::Off });
        Ok(options.application_name(&self.application_name).options([
            ("statement_timeout", self.statement_timeout.as_millis()),
            ("idle_in_transaction_session_timeout", idle),
        ]))
    }

    /// What metrics call the pool: the service that connects, without the product's name.
    fn pool_name(&self) -> &str {
        self.application_name.strip_prefix("kontor-").unwrap_or(&self.application_name)
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

/// The connections of a service to its database. Clones share them.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sqlx: PgPool,
    name: String,
    /// The name, as the instruments want it.
    attribute: KeyValue,
    pending: AtomicI64,
}

/// All pools of the process, for as long as they are used.
static POOLS: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

impl Pool {
    fn new(sqlx: PgPool, name: &str) -> Self {
        let (attribute, pending) = (metrics::pool_name(name), AtomicI64::new(0));
        let inner = Arc::new(Inner { sqlx, name: name.to_owned(), attribute, pending });
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(&inner));
        drop(pools);
        metrics::observe_pools();
        Self(inner)
    }

    /// What metrics call it: "order".
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Without the measurements, for what wants sqlx's own type: tests, and migrations.
    pub fn sqlx(&self) -> &PgPool {
        &self.0.sqlx
    }

    /// A connection, as soon as one is free.
    ///
    /// # Errors
    /// [`sqlx::Error::PoolTimedOut`] after `acquire_timeout`, and what keeps a new connection from being opened.
    pub async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let (began, pending) = (Instant::now(), Pending::new(&self.0.pending));
        let acquired = self.0.sqlx.acquire().await;
        drop(pending);
        match &acquired {
            Ok(_) => metrics::connection_acquired(&self.0.attribute, began.elapsed()),
            Err(sqlx::Error::PoolTimedOut) => metrics::connection_timed_out(&self.0.attribute),
            Err(_) => {}
        }
        acquired
    }

    /// A transaction on a connection of its own.
    ///
    /// # Errors
    /// As those of [`Self::acquire`], and what the database refuses.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        Transaction::begin(self.acquire().await?, None).await
    }
}

/// Counts a call that waits, also if it stops waiting because its future is dropped.
struct Pending<'a>(&'a AtomicI64);

impl<'a> Pending<'a> {
    fn new(count: &'a AtomicI64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How pools of one name are used right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolUsage {
    pub(crate) used: i64,
    pub(crate) idle: i64,
    pub(crate) max: i64,
    pub(crate) pending: i64,
}

impl PoolUsage {
    fn add(&mut self, pool: &Inner) {
        let (open, idle) = (i64::from(pool.sqlx.size()), i64::try_from(pool.sqlx.num_idle()).unwrap_or(i64::MAX));
        // The two numbers are read one after the other, so there may be one more idle than open.
        self.used += (open - idle).max(0);
        self.idle += idle;
        self.max += i64::from(pool.sqlx.options().get_max_connections());
        self.pending += pool.pending.load(Ordering::Relaxed);
    }
}

/// The usage of all pools of this process: those of the launcher belong to several services, and auth has two.
pub(crate) fn usage_by_name() -> BTreeMap<String, PoolUsage> {
    let pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut usage = BTreeMap::<String, PoolUsage>::new();
    for pool in pools.iter().filter_map(Weak::upgrade) {
        usage.entry(pool.name.clone()).or_default().add(&pool);
    }
    usage
}

/// Opens a pool, and one connection to know that the database answers.
///
/// # Errors
/// When the URL cannot be read, or the database cannot be reached within `acquire_timeout`.
pub async fn connect(options: &PoolOptions) -> Result<Pool, Error> {
    let pool = sqlx_options(options).connect_with(options.connect_options()?).await?;
    Ok(Pool::new(pool, options.pool_name()))
}

/// A pool that opens its connections when they are needed: the database may be away.
///
/// # Errors
/// When the URL can't be read.
pub fn connect_lazy(options: &PoolOptions) -> Result<Pool, Error> {
    let pool = sqlx_options(options).connect_lazy_with(options.connect_options()?);
    Ok(Pool::new(pool, options.pool_name()))
}

fn sqlx_options(options: &PoolOptions) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        // A ping before every use would cost a round trip; see `check_idle`.
        .test_before_acquire(false)
        .before_acquire(|conn, meta| Box::pin(check_idle(conn, meta.idle_for)))
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
