//! Sessions: what a refresh token belongs to.

use kontor_types::ids::{SessionId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::refresh::SESSION_SECONDS;

/// Opens a session of a user.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: SessionId,
    user: UserId,
    client: &str,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO sessions (id, user_id, client, expire_time) \
               VALUES ($1, $2, $3, now() + $4 * interval '1 second')";
    sqlx::query(sql).bind(id.0).bind(user.0).bind(client).bind(SESSION_SECONDS).execute(conn).await.map(|_| ())
}

/// The user of a session that is still open, with the session locked.
pub(crate) async fn lock_open(conn: &mut PgConnection, id: SessionId) -> Result<Option<UserId>, sqlx::Error> {
    let sql = "SELECT user_id FROM sessions \
               WHERE id = $1 AND revoke_time IS NULL AND expire_time > now() FOR UPDATE";
    let user: Option<Uuid> = sqlx::query_scalar(sql).bind(id.0).fetch_optional(conn).await?;
    Ok(user.map(UserId))
}

/// Lets the session live as long from now as a new one.
pub(crate) async fn set_refreshed(conn: &mut PgConnection, id: SessionId) -> Result<(), sqlx::Error> {
    let sql = "UPDATE sessions SET expire_time = now() + $2 * interval '1 second' WHERE id = $1";
    sqlx::query(sql).bind(id.0).bind(SESSION_SECONDS).execute(conn).await.map(|_| ())
}

/// Ends the session.
pub(crate) async fn set_revoked(conn: &mut PgConnection, id: SessionId) -> Result<(), sqlx::Error> {
    let sql = "UPDATE sessions SET revoke_time = now() WHERE id = $1 AND revoke_time IS NULL";
    sqlx::query(sql).bind(id.0).execute(conn).await.map(|_| ())
}
