//! Users, as they sign up and in.

use kontor_postgres::ensure_affected;
use kontor_types::ids::UserId;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Row};

use crate::domain::account::Credentials;
use crate::domain::email::Email;
use crate::domain::roles::Role;

/// The columns of [`Credentials`].
macro_rules! credentials {
    () => {
        "u.id, u.email, u.password_hash, u.suspend_time IS NOT NULL AS is_suspended, \
         EXISTS (SELECT 1 FROM authenticators a WHERE a.user_id = u.id AND a.confirm_time IS NOT NULL) AS has_second_factor"
    };
}

pub(crate) struct NewUser<'a> {
    pub(crate) id: UserId,
    pub(crate) email: &'a Email,
    pub(crate) display_name: &'a str,
    pub(crate) password_hash: &'a str,
}

/// Adds a user with one role. False if the address has an account already.
pub(crate) async fn insert(conn: &mut PgConnection, user: &NewUser<'_>, role: Role) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO users (id, email, email_lower, display_name, password_hash) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email_lower) DO NOTHING";
    let inserted = sqlx::query(sql)
        .bind(user.id.0)
        .bind(user.email.as_str())
        .bind(user.email.lower())
        .bind(user.display_name)
        .bind(user.password_hash)
        .execute(&mut *conn)
        .await?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    super::bindings::insert(conn, &user.id.to_string(), role.name()).await?;
    Ok(true)
}

pub(crate) async fn exists(conn: &mut PgConnection, email_lower: &str) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE email_lower = $1)";
    sqlx::query_scalar(sql).bind(email_lower).fetch_one(conn).await
}

/// The credentials of the account of an address in lower case.
pub(crate) async fn find_credentials(
    conn: &mut PgConnection,
    email_lower: &str,
) -> Result<Option<Credentials>, sqlx::Error> {
    let sql = concat!("SELECT ", credentials!(), " FROM users u WHERE email_lower = $1");
    sqlx::query_as(sql).bind(email_lower).fetch_optional(conn).await
}

pub(crate) async fn get_credentials(conn: &mut PgConnection, id: UserId) -> Result<Option<Credentials>, sqlx::Error> {
    let sql = concat!("SELECT ", credentials!(), " FROM users u WHERE id = $1");
    sqlx::query_as(sql).bind(id.0).fetch_optional(conn).await
}

/// The credentials of a user, locked until the transaction ends.
pub(crate) async fn lock_credentials(conn: &mut PgConnection, id: UserId) -> Result<Option<Credentials>, sqlx::Error> {
    // Read after the lock is there: whether there is a second factor stands in another table, and may change before.
    sqlx::query("SELECT id FROM users WHERE id = $1 FOR UPDATE").bind(id.0).execute(&mut *conn).await?;
    get_credentials(conn, id).await
}

pub(crate) async fn set_password(conn: &mut PgConnection, id: UserId, hash: &str) -> Result<(), sqlx::Error> {
    let sql = "UPDATE users SET password_hash = $2 WHERE id = $1";
    let updated = sqlx::query(sql).bind(id.0).bind(hash).execute(conn).await?;
    ensure_affected(&updated, 1)
}

impl FromRow<'_, PgRow> for Credentials {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            user: UserId(row.try_get("id")?),
            email: super::email(row)?,
            password_hash: row.try_get::<String, _>("password_hash")?.into(),
            is_suspended: row.try_get("is_suspended")?,
            has_second_factor: row.try_get("has_second_factor")?,
        })
    }
}
