//! Users and their roles.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::account::User;
use crate::domain::email::Email;
use crate::domain::roles::Role;

/// What makes a user.
pub(crate) struct NewUser<'a> {
    pub(crate) id: UserId,
    pub(crate) email: &'a Email,
    pub(crate) display_name: &'a str,
    pub(crate) password_hash: &'a str,
}

/// Adds a user with one role. False if the address has an account already; then nothing is added.
pub(crate) async fn insert(conn: &mut PgConnection, user: &NewUser<'_>, role: Role) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO users (id, email, email_lower, display_name, password_hash) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email_lower) DO NOTHING";
    let inserted = sqlx::query(sql)
        .bind(user.id.0)
        .bind(user.email.as_given())
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

/// Whether the address, in lower case, has an account.
pub(crate) async fn exists(conn: &mut PgConnection, email_lower: &str) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM users WHERE email_lower = $1)";
    sqlx::query_scalar(sql).bind(email_lower).fetch_one(conn).await
}

/// The user of an address in lower case, and the hash of their password.
pub(crate) async fn find_credentials(
    conn: &mut PgConnection,
    email_lower: &str,
) -> Result<Option<(UserId, String)>, sqlx::Error> {
    let sql = "SELECT id, password_hash FROM users WHERE email_lower = $1";
    let row: Option<(Uuid, String)> = sqlx::query_as(sql).bind(email_lower).fetch_optional(conn).await?;
    Ok(row.map(|(id, hash)| (UserId(id), hash)))
}

/// A user with their roles.
pub(crate) async fn find(conn: &mut PgConnection, id: UserId) -> Result<Option<User>, sqlx::Error> {
    let sql =
        "SELECT email, display_name, create_time, suspend_time IS NOT NULL AS is_suspended FROM users WHERE id = $1";
    let row: Option<UserRow> = sqlx::query_as(sql).bind(id.0).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let roles = super::bindings::list_roles(conn, &id.to_string()).await?;
    let UserRow { email, display_name, create_time, is_suspended } = row;
    Ok(Some(User { id, email, display_name, roles, is_suspended, create_time }))
}

#[derive(sqlx::FromRow)]
struct UserRow {
    email: String,
    display_name: String,
    create_time: DateTime<Utc>,
    is_suspended: bool,
}
