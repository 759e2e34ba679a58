//! Password resets that wait for their code. An address without an account gets a row too, without a user.

use chrono::{DateTime, Utc};
use kontor_types::ids::{PasswordResetId, UserId};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use crate::domain::code::{LIFE_SECONDS, Waiting};
use crate::domain::hash::SecretHash;

use super::WaitingRow;

pub(crate) struct Reset {
    pub(crate) user_id: Option<Uuid>,
    pub(crate) waiting: Waiting,
}

impl FromRow<'_, PgRow> for Reset {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { user_id: row.try_get("user_id")?, waiting: WaitingRow::from_row(row)?.into() })
    }
}

/// Adds a reset, and returns when it expires.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: PasswordResetId,
    user: Option<UserId>,
    code_hash: &SecretHash,
) -> Result<DateTime<Utc>, sqlx::Error> {
    let sql = "INSERT INTO password_resets (id, user_id, code_hash, expire_time) \
               VALUES ($1, $2, $3, now() + $4 * interval '1 second') RETURNING expire_time";
    let query = sqlx::query_scalar(sql).bind(id.0).bind(user.map(|user| user.0));
    query.bind(&code_hash.0).bind(LIFE_SECONDS).fetch_one(conn).await
}

pub(crate) async fn lock(conn: &mut PgConnection, id: PasswordResetId) -> Result<Option<Reset>, sqlx::Error> {
    let sql = "SELECT user_id, code_hash, wrong_codes, expire_time <= now() AS is_expired \
               FROM password_resets WHERE id = $1 FOR UPDATE";
    sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await
}

pub(crate) async fn set_wrong_code(conn: &mut PgConnection, id: PasswordResetId) -> Result<(), sqlx::Error> {
    let sql = "UPDATE password_resets SET wrong_codes = wrong_codes + 1 WHERE id = $1";
    sqlx::query(sql).bind(id.0).execute(conn).await.map(|_| ())
}

/// Deletes all resets of a user; without a user, none.
pub(crate) async fn delete_all(conn: &mut PgConnection, user: Option<UserId>) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM password_resets WHERE user_id = $1";
    sqlx::query(sql).bind(user.map(|user| user.0)).execute(conn).await.map(|_| ())
}
