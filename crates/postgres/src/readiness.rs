//! Whether a service can work with its database now, and if not, why.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Executor, PgConnection, Postgres};
use tokio::time::timeout;

use crate::error::{has_state, is_outage, text};
use crate::schema::{self, SchemaState};
use crate::{Migrations, Pool};

/// How long the pool may take to give a connection, and how long one of our own may take to open: a second together, which is what
/// those who ask for the readiness wait.
const ACQUIRE_MAX: Duration = Duration::from_millis(650);
const CONNECT_MAX: Duration = Duration::from_millis(300);

/// SQLSTATEs of a server that still reads, but does not write: disk_full, out_of_memory, read_only_sql_transaction.
const WRITES_REFUSED: [&str; 3] = ["53100", "53200", "25006"];

/// Whether a write of this process was refused, and none has succeeded since. A full disk shows in no statement that only reads.
static REFUSES_WRITES: AtomicBool = AtomicBool::new(false);

/// Takes note of an error of any statement.
pub(crate) fn note(error: &sqlx::Error) {
    if has_state(error, &WRITES_REFUSED) {
        REFUSES_WRITES.store(true, Ordering::Relaxed);
    }
}

/// Whether the database answers and writes, with a schema that the program can work with. One that became newer meanwhile is fine: a
/// newer version is being rolled out.
///
/// # Errors
/// The cause, as a sentence.
pub async fn check(pool: Pool, migrations: Migrations) -> Result<(), String> {
    let mut conn = acquire(&pool).await?;
    match schema::compare(&mut conn, &migrations).await.map_err(unavailable)? {
        SchemaState::Current | SchemaState::Newer { .. } => {}
        state @ (SchemaState::Older { .. } | SchemaState::Changed { .. }) => return Err(state.to_string()),
    }
    let read_only = sqlx::query_scalar("SELECT current_setting('transaction_read_only') = 'on'");
    if read_only.fetch_one(&mut *conn).await.map_err(unavailable)? {
        return Err("the database does not write: it is read-only".to_owned());
    }
    if REFUSES_WRITES.load(Ordering::Relaxed) {
        check_writes(&mut conn).await.map_err(|error| format!("the database does not write: {}", text(&error)))?;
        REFUSES_WRITES.store(false, Ordering::Relaxed);
    }
    Ok(())
}

fn unavailable(error: sqlx::Error) -> String {
    format!("the database is not available: {}", text(&error))
}

/// A connection of the pool. A pool goes on trying to connect until its time is up, and does not tell why it fails: a connection of our
/// own does.
async fn acquire(pool: &Pool) -> Result<PoolConnection<Postgres>, String> {
    if let Ok(acquired) = timeout(ACQUIRE_MAX, pool.acquire()).await {
        return acquired.map_err(unavailable);
    }
    match timeout(CONNECT_MAX, PgConnection::connect_with(&pool.sqlx().connect_options())).await {
        Ok(Ok(_)) => Err("no connection to the database is free".to_owned()),
        Ok(Err(error)) => Err(unavailable(error)),
        Err(_elapsed) => Err("the database does not answer".to_owned()),
    }
}

/// Writes several pages, of which nothing stays.
async fn check_writes(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin().await?;
    match tx.execute("CREATE TEMPORARY TABLE kontor_probe AS SELECT generate_series(1, 2000) AS n").await {
        Err(error) if is_outage(&error) => Err(error),
        // What else is refused (the right to make temporary tables, for one) says nothing about the disk.
        Ok(_) | Err(_) => tx.rollback().await,
    }
}
