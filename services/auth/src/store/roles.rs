//! Operators' own roles.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::definition::Definition;
use crate::domain::roles::Role;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, description, permissions, create_time FROM roles ", $rest)
    };
}

pub(crate) async fn find(conn: &mut PgConnection, id: &str) -> Result<Option<Definition>, sqlx::Error> {
    let row: Option<RoleRow> = sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(conn).await?;
    Ok(row.map(Definition::from))
}

/// The roles after a name, built-in ones included, by name: the database sorts all of them by its own rules.
pub(crate) async fn list(conn: &mut PgConnection, after: &str, limit: i64) -> Result<Vec<Definition>, sqlx::Error> {
    let sql = "SELECT id, description, permissions, create_time FROM ( \
                   SELECT id, description, permissions, create_time FROM roles \
                   UNION ALL SELECT id, '', '{}'::text[], now() FROM unnest($3::text[]) AS id \
               ) AS r WHERE id > $1 ORDER BY id LIMIT $2";
    let built_in = Role::ALL.map(Role::name);
    let rows: Vec<RoleRow> =
        sqlx::query_as(sql).bind(after).bind(limit).bind(built_in.as_slice()).fetch_all(conn).await?;
    let definition = |row: RoleRow| Role::parse(&row.id).map_or_else(|| row.into(), Definition::from);
    Ok(rows.into_iter().map(definition).collect())
}

/// Adds a role, and returns its creation time. None if the name exists.
pub(crate) async fn insert(conn: &mut PgConnection, role: &Definition) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let sql = "INSERT INTO roles (id, description, permissions) VALUES ($1, $2, $3) \
               ON CONFLICT (id) DO NOTHING RETURNING create_time";
    let query = sqlx::query_scalar(sql).bind(&role.id).bind(&role.description).bind(&role.permissions);
    query.fetch_optional(conn).await
}

pub(crate) async fn update(conn: &mut PgConnection, role: &Definition) -> Result<(), sqlx::Error> {
    let sql = "UPDATE roles SET description = $2, permissions = $3 WHERE id = $1";
    let query = sqlx::query(sql).bind(&role.id).bind(&role.description).bind(&role.permissions);
    query.execute(conn).await.map(|_| ())
}

pub(crate) async fn delete(conn: &mut PgConnection, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM roles WHERE id = $1").bind(id).execute(conn).await.map(|_| ())
}

kontor_postgres::from_row! {
    struct RoleRow {
        id: String,
        description: String,
        permissions: Vec<String>,
        create_time: DateTime<Utc>,
    }
}

impl From<RoleRow> for Definition {
    fn from(row: RoleRow) -> Self {
        let RoleRow { id, description, permissions, create_time } = row;
        Self { id, description, permissions, create_time: Some(create_time) }
    }
}
