//! Sign-ups that wait for their code.

use chrono::{DateTime, Utc};
use kontor_types::ids::SignUpId;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};

use crate::domain::code::{LIFE_SECONDS, Waiting};
use crate::domain::email::Email;
use crate::domain::hash::SecretHash;

use super::{WaitingRow, email};

pub(crate) struct NewSignUp<'a> {
    pub(crate) id: SignUpId,
    pub(crate) email: &'a Email,
    pub(crate) display_name: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) code_hash: &'a SecretHash,
}

pub(crate) struct SignUp {
    pub(crate) email: Email,
    pub(crate) display_name: String,
    pub(crate) password_hash: String,
    pub(crate) waiting: Waiting,
}

impl FromRow<'_, PgRow> for SignUp {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let (display_name, password_hash) = (row.try_get("display_name")?, row.try_get("password_hash")?);
        Ok(Self { email: email(row)?, display_name, password_hash, waiting: WaitingRow::from_row(row)?.into() })
    }
}

/// Adds a sign-up, and returns when it expires.
pub(crate) async fn insert(conn: &mut PgConnection, new: &NewSignUp<'_>) -> Result<DateTime<Utc>, sqlx::Error> {
    let sql = "INSERT INTO sign_ups (id, email, display_name, password_hash, code_hash, expire_time) \
               VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second') RETURNING expire_time";
    sqlx::query_scalar(sql)
        .bind(new.id.0)
        .bind(new.email.as_str())
        .bind(new.display_name)
        .bind(new.password_hash)
        .bind(&new.code_hash.0)
        .bind(LIFE_SECONDS)
        .fetch_one(conn)
        .await
}

pub(crate) async fn lock(conn: &mut PgConnection, id: SignUpId) -> Result<Option<SignUp>, sqlx::Error> {
    let sql = "SELECT email, display_name, password_hash, code_hash, wrong_codes, expire_time <= now() AS is_expired \
               FROM sign_ups WHERE id = $1 FOR UPDATE";
    sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await
}

pub(crate) async fn set_wrong_code(conn: &mut PgConnection, id: SignUpId) -> Result<(), sqlx::Error> {
    let sql = "UPDATE sign_ups SET wrong_codes = wrong_codes + 1 WHERE id = $1";
    sqlx::query(sql).bind(id.0).execute(conn).await.map(|_| ())
}

pub(crate) async fn delete(conn: &mut PgConnection, id: SignUpId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM sign_ups WHERE id = $1").bind(id.0).execute(conn).await.map(|_| ())
}
