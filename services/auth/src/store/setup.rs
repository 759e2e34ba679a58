//! The row that replicas, and changes of who may do what, take turns on; the database's clock; and a sign of life.

use chrono::{DateTime, Utc};
use kontor_postgres::ensure_affected;
use sqlx::PgConnection;

/// Waits until no other transaction sets the service up, makes a signing key, or changes who may do what.
pub(crate) async fn lock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let locked = sqlx::query("SELECT id FROM setup WHERE id = 1 FOR UPDATE").execute(conn).await?;
    ensure_affected(&locked, 1)
}

/// What the database's clock shows: now, and not when the transaction began, which may have waited for a lock since.
pub(crate) async fn now(conn: &mut PgConnection) -> Result<DateTime<Utc>, sqlx::Error> {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(conn).await
}

/// Asks the database for an answer.
pub(crate) async fn ping(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT 1").execute(conn).await.map(|_| ())
}
