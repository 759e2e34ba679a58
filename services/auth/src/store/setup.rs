//! The row that serves as the admin lock, and the database's clock.

use chrono::{DateTime, Utc};
use kontor_postgres::ensure_affected;
use sqlx::PgConnection;

/// Takes the admin lock: one transaction at a time sets the service up, adds a signing key, or changes accounts, roles and bindings.
pub(crate) async fn lock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let locked = sqlx::query("SELECT id FROM setup WHERE id = 1 FOR UPDATE").execute(conn).await?;
    ensure_affected(&locked, 1)
}

/// The database's clock: the current time, and not the start of the transaction, which may have waited for a lock since.
pub(crate) async fn now(conn: &mut PgConnection) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(conn).await
}
