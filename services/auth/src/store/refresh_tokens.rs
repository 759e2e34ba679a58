//! Refresh tokens, by their hashes. A change of a session's tokens holds the lock on the session.

use kontor_postgres::ensure_affected;
use kontor_types::ids::SessionId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::hash::SecretHash;
use crate::domain::refresh::{REPEAT_SECONDS, RefreshToken, Successor, Used};

pub(crate) async fn find_session(conn: &mut PgConnection, hash: &SecretHash) -> Result<Option<SessionId>, sqlx::Error> {
    let sql = "SELECT session_id FROM refresh_tokens WHERE token_hash = $1";
    let session: Option<Uuid> = sqlx::query_scalar(sql).bind(&hash.0).fetch_optional(conn).await?;
    Ok(session.map(SessionId))
}

pub(crate) async fn get(conn: &mut PgConnection, hash: &SecretHash) -> Result<RefreshToken, sqlx::Error> {
    let sql = "SELECT t.use_time IS NOT NULL AS is_used, \
                      COALESCE(t.use_time > now() - $2 * interval '1 second', false) AS is_recent, \
                      t.successor, COALESCE(s.use_time IS NOT NULL, false) AS successor_is_used \
               FROM refresh_tokens t LEFT JOIN refresh_tokens s ON s.token_hash = t.successor \
               WHERE t.token_hash = $1";
    let row: RefreshTokenRow = sqlx::query_as(sql).bind(&hash.0).bind(REPEAT_SECONDS).fetch_one(conn).await?;
    Ok(row.into())
}

pub(crate) async fn insert(conn: &mut PgConnection, session: SessionId, hash: &SecretHash) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO refresh_tokens (token_hash, session_id) VALUES ($1, $2)";
    sqlx::query(sql).bind(&hash.0).bind(session.0).execute(conn).await.map(|_| ())
}

/// Records the use of a token, and its successor. The time of the first use stays.
pub(crate) async fn set_used(
    conn: &mut PgConnection,
    hash: &SecretHash,
    successor: &SecretHash,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE refresh_tokens SET use_time = COALESCE(use_time, now()), successor = $2 WHERE token_hash = $1";
    let updated = sqlx::query(sql).bind(&hash.0).bind(&successor.0).execute(conn).await?;
    ensure_affected(&updated, 1)
}

pub(crate) async fn set_ended(conn: &mut PgConnection, hash: &SecretHash) -> Result<(), sqlx::Error> {
    let sql = "UPDATE refresh_tokens SET use_time = now() WHERE token_hash = $1 AND use_time IS NULL";
    let updated = sqlx::query(sql).bind(&hash.0).execute(conn).await?;
    ensure_affected(&updated, 1)
}

kontor_postgres::from_row! {
    struct RefreshTokenRow {
        is_used: bool,
        is_recent: bool,
        successor: Option<Vec<u8>>,
        successor_is_used: bool,
    }
}

impl From<RefreshTokenRow> for RefreshToken {
    fn from(row: RefreshTokenRow) -> Self {
        let is_used = row.successor_is_used;
        let successor = row.successor.map(|hash| Successor { hash: SecretHash(hash), is_used });
        Self { used: row.is_used.then_some(Used { is_recent: row.is_recent, successor }) }
    }
}
