//! Role bindings of users and service accounts, by their resource names.

use chrono::{DateTime, Utc};
use kontor_types::PageToken;
use kontor_types::ids::{UserId, new_uuid};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::binding::Binding;

/// Adds a binding. False if the member has the role already.
pub(crate) async fn insert(conn: &mut PgConnection, member: &str, role: &str) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO bindings (id, role, member) VALUES ($1, $2, $3) ON CONFLICT ON CONSTRAINT bindings_once DO NOTHING";
    let inserted = sqlx::query(sql).bind(new_uuid()).bind(role).bind(member).execute(conn).await?;
    Ok(inserted.rows_affected() == 1)
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, role, member, create_time FROM bindings ", $rest)
    };
}

pub(crate) async fn get(conn: &mut PgConnection, member: &str, role: &str) -> Result<Binding, sqlx::Error> {
    let query = sqlx::query_as(select!("WHERE member = $1 AND role = $2"));
    let row: BindingRow = query.bind(member).bind(role).fetch_one(conn).await?;
    Ok(row.into())
}

pub(crate) async fn find(conn: &mut PgConnection, id: Uuid) -> Result<Option<Binding>, sqlx::Error> {
    let row: Option<BindingRow> = sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(conn).await?;
    Ok(row.map(Binding::from))
}

/// The bindings after a page token, oldest first: all, or those of a member.
pub(crate) async fn list(
    conn: &mut PgConnection,
    member: Option<&str>,
    after: Option<PageToken>,
    limit: i64,
) -> Result<Vec<Binding>, sqlx::Error> {
    let query = match member {
        None => sqlx::query_as(select!("WHERE id > $1 ORDER BY id LIMIT $2")),
        Some(_) => sqlx::query_as(select!("WHERE id > $1 AND member = $3 ORDER BY id LIMIT $2")),
    };
    let mut query = query.bind(after.map_or(Uuid::nil(), |token| token.after)).bind(limit);
    if let Some(member) = member {
        query = query.bind(member);
    }
    let rows: Vec<BindingRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Binding::from).collect())
}

pub(crate) async fn delete(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM bindings WHERE id = $1").bind(id).execute(conn).await.map(|_| ())
}

/// Deletes all bindings of a member.
pub(crate) async fn delete_of(conn: &mut PgConnection, member: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM bindings WHERE member = $1").bind(member).execute(conn).await.map(|_| ())
}

/// The resource names of a role's members.
pub(crate) async fn list_members(conn: &mut PgConnection, role: &str, limit: i64) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT member FROM bindings WHERE role = $1 ORDER BY member LIMIT $2";
    sqlx::query_scalar(sql).bind(role).bind(limit).fetch_all(conn).await
}

/// Whether another user has the role and is not suspended. Service accounts do not count.
pub(crate) async fn any_other_administrator(
    conn: &mut PgConnection,
    user: UserId,
    role: &str,
) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM bindings b JOIN users u ON b.member = 'users/' || u.id::text \
               WHERE b.role = $2 AND u.id <> $1 AND u.suspend_time IS NULL)";
    sqlx::query_scalar(sql).bind(user.0).bind(role).fetch_one(conn).await
}

pub(crate) async fn any_with_role(conn: &mut PgConnection, role: &str) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM bindings WHERE role = $1)";
    sqlx::query_scalar(sql).bind(role).fetch_one(conn).await
}

/// The permissions of all of a member's roles, sorted, without duplicates.
pub(crate) async fn list_permissions(conn: &mut PgConnection, member: &str) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT b.role, r.permissions FROM bindings b LEFT JOIN roles r ON r.id = b.role WHERE b.member = $1";
    let rows: Vec<(String, Option<Vec<String>>)> = sqlx::query_as(sql).bind(member).fetch_all(conn).await?;
    Ok(crate::domain::roles::permissions(rows))
}

kontor_postgres::from_row! {
    struct BindingRow {
        id: Uuid,
        role: String,
        member: String,
        create_time: DateTime<Utc>,
    }
}

impl From<BindingRow> for Binding {
    fn from(row: BindingRow) -> Self {
        let BindingRow { id, role, member, create_time } = row;
        Self { id, role, member, create_time }
    }
}
