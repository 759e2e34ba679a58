//! The row that replicas starting at once, and changes of who may do what, take turns on; and a sign of life.

use kontor_postgres::ensure_affected;
use sqlx::PgConnection;

/// Waits until no other transaction sets the service up, or changes who may do what.
pub(crate) async fn lock(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let locked = sqlx::query("SELECT id FROM setup WHERE id = 1 FOR UPDATE").execute(conn).await?;
    ensure_affected(&locked, 1)
}

/// Asks the database for an answer.
pub(crate) async fn ping(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT 1").execute(conn).await.map(|_| ())
}
