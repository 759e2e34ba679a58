//! Users with their roles, as users and operators read and change them.

use chrono::{DateTime, Utc};
use kontor_types::PageToken;
use kontor_types::ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::account::User;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.email, u.display_name, u.create_time, u.suspend_time IS NOT NULL AS is_suspended, ",
            "ARRAY(SELECT b.role FROM bindings b WHERE b.member = 'users/' || u.id::text ORDER BY b.role) AS roles ",
            "FROM users u ",
            $rest
        )
    };
}

/// The users after a page token, oldest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    after: Option<PageToken>,
    limit: i64,
) -> Result<Vec<User>, sqlx::Error> {
    let query = sqlx::query_as(select!("WHERE u.id > $1 ORDER BY u.id LIMIT $2"));
    let after = after.map_or(Uuid::nil(), |token| token.after);
    let rows: Vec<UserRow> = query.bind(after).bind(limit).fetch_all(conn).await?;
    Ok(rows.into_iter().map(User::from).collect())
}

pub(crate) async fn find(conn: &mut PgConnection, id: UserId) -> Result<Option<User>, sqlx::Error> {
    let row: Option<UserRow> = sqlx::query_as(select!("WHERE u.id = $1")).bind(id.0).fetch_optional(conn).await?;
    Ok(row.map(User::from))
}

pub(crate) async fn find_by_email(conn: &mut PgConnection, email_lower: &str) -> Result<Option<User>, sqlx::Error> {
    let query = sqlx::query_as(select!("WHERE u.email_lower = $1"));
    let row: Option<UserRow> = query.bind(email_lower).fetch_optional(conn).await?;
    Ok(row.map(User::from))
}

/// Locks these users, so that no session of theirs is opened until the transaction ends.
pub(crate) async fn lock(conn: &mut PgConnection, users: &[UserId]) -> Result<(), sqlx::Error> {
    let ids: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let sql = "SELECT id FROM users WHERE id = ANY($1) ORDER BY id FOR UPDATE";
    sqlx::query(sql).bind(ids).execute(conn).await.map(|_| ())
}

pub(crate) async fn set_display_name(conn: &mut PgConnection, id: UserId, name: &str) -> Result<(), sqlx::Error> {
    let sql = "UPDATE users SET display_name = $2 WHERE id = $1";
    sqlx::query(sql).bind(id.0).bind(name).execute(conn).await.map(|_| ())
}

pub(crate) async fn set_suspended(conn: &mut PgConnection, id: UserId, is_suspended: bool) -> Result<(), sqlx::Error> {
    let sql = "UPDATE users SET suspend_time = CASE WHEN $2 THEN now() END WHERE id = $1";
    sqlx::query(sql).bind(id.0).bind(is_suspended).execute(conn).await.map(|_| ())
}

/// Deletes a user, and all rows with a foreign key to the user.
pub(crate) async fn delete(conn: &mut PgConnection, id: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM users WHERE id = $1").bind(id.0).execute(conn).await.map(|_| ())
}

kontor_postgres::from_row! {
    struct UserRow {
        id: Uuid,
        email: String,
        display_name: String,
        create_time: DateTime<Utc>,
        is_suspended: bool,
        roles: Vec<String>,
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        let UserRow { id, email, display_name, create_time, is_suspended, roles } = row;
        Self { id: UserId(id), email, display_name, roles, is_suspended, create_time }
    }
}
