//! Challenges: sign-ins with a correct password that wait for a code.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::challenge::{LIFE_SECONDS, Waiting};
use crate::domain::hash::SecretHash;

/// Adds a challenge, and returns when it expires.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    user: UserId,
    hash: &SecretHash,
) -> Result<DateTime<Utc>, sqlx::Error> {
    let sql = "INSERT INTO challenges (token_hash, user_id, expire_time) \
               VALUES ($1, $2, now() + $3 * interval '1 second') RETURNING expire_time";
    sqlx::query_scalar(sql).bind(&hash.0).bind(user.0).bind(LIFE_SECONDS).fetch_one(conn).await
}

pub(crate) async fn find(conn: &mut PgConnection, hash: &SecretHash) -> Result<Option<(UserId, Waiting)>, sqlx::Error> {
    let sql = "SELECT user_id, wrong_codes, expire_time <= now() FROM challenges WHERE token_hash = $1";
    let row: Option<(Uuid, i32, bool)> = sqlx::query_as(sql).bind(&hash.0).fetch_optional(conn).await?;
    Ok(row.map(|(user, wrong_codes, is_expired)| (UserId(user), Waiting { wrong_codes, is_expired })))
}

pub(crate) async fn set_wrong_code(conn: &mut PgConnection, hash: &SecretHash) -> Result<(), sqlx::Error> {
    let sql = "UPDATE challenges SET wrong_codes = wrong_codes + 1 WHERE token_hash = $1";
    sqlx::query(sql).bind(&hash.0).execute(conn).await.map(|_| ())
}

pub(crate) async fn delete(conn: &mut PgConnection, hash: &SecretHash) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM challenges WHERE token_hash = $1").bind(&hash.0).execute(conn).await.map(|_| ())
}

/// Deletes the challenges of a user, because the credentials that they began with changed.
pub(crate) async fn delete_all(conn: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM challenges WHERE user_id = $1").bind(user.0).execute(conn).await.map(|_| ())
}
