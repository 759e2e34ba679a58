//! Who has which role: users and service accounts, by their resource names.

use kontor_types::ids::new_uuid;
use sqlx::PgConnection;

/// Gives a role. One that the member has already stays as it is.
pub(crate) async fn insert(conn: &mut PgConnection, member: &str, role: &str) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO bindings (id, role, member) VALUES ($1, $2, $3) ON CONFLICT ON CONSTRAINT bindings_once DO NOTHING";
    sqlx::query(sql).bind(new_uuid()).bind(role).bind(member).execute(conn).await.map(|_| ())
}

/// Whether anybody has the role.
pub(crate) async fn any_with_role(conn: &mut PgConnection, role: &str) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM bindings WHERE role = $1)";
    sqlx::query_scalar(sql).bind(role).fetch_one(conn).await
}

/// The ids of a member's roles, in order.
pub(crate) async fn list_roles(conn: &mut PgConnection, member: &str) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT role FROM bindings WHERE member = $1 ORDER BY role";
    sqlx::query_scalar(sql).bind(member).fetch_all(conn).await
}

/// The permissions of all of a member's roles, each once, in order.
pub(crate) async fn list_permissions(conn: &mut PgConnection, member: &str) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT b.role, r.permissions FROM bindings b LEFT JOIN roles r ON r.id = b.role WHERE b.member = $1";
    let rows: Vec<(String, Option<Vec<String>>)> = sqlx::query_as(sql).bind(member).fetch_all(conn).await?;
    Ok(crate::domain::roles::permissions(rows))
}
