//! Whether a service can work with its database now, and if not, why.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{Connection, Executor, PgConnection};

use crate::error::{has_state, is_outage};
use crate::schema::{self, SchemaState};
use crate::{Migrations, Pool};

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
    let unavailable = |error| format!("the database is not available: {error}");
    let mut conn = pool.acquire().await.map_err(unavailable)?;
    match schema::compare(&mut conn, &migrations).await.map_err(unavailable)? {
        SchemaState::Current | SchemaState::Newer { .. } => {}
        state @ (SchemaState::Older { .. } | SchemaState::Changed { .. }) => return Err(state.to_string()),
    }
    if REFUSES_WRITES.load(Ordering::Relaxed) {
        check_writes(&mut conn).await.map_err(|error| format!("the database does not write: {error}"))?;
        REFUSES_WRITES.store(false, Ordering::Relaxed);
    }
    Ok(())
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
