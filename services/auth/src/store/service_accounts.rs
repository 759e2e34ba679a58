//! Service accounts.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::domain::service_account::ServiceAccount;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT name, display_name, built_in, create_time FROM service_accounts ", $rest)
    };
}

/// Adds an account of one of Kontor's own services, unless the name exists.
pub(crate) async fn insert_built_in(conn: &mut PgConnection, id: &str) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO service_accounts (name, built_in) VALUES ($1, true) ON CONFLICT (name) DO NOTHING";
    sqlx::query(sql).bind(id).execute(conn).await.map(|_| ())
}

/// Adds an operator's account. None if the name exists.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    id: &str,
    display_name: &str,
) -> Result<Option<ServiceAccount>, sqlx::Error> {
    let sql = "INSERT INTO service_accounts (name, display_name, built_in) VALUES ($1, $2, false) \
               ON CONFLICT (name) DO NOTHING RETURNING name, display_name, built_in, create_time";
    let row: Option<AccountRow> = sqlx::query_as(sql).bind(id).bind(display_name).fetch_optional(conn).await?;
    Ok(row.map(ServiceAccount::from))
}

pub(crate) async fn find(conn: &mut PgConnection, id: &str) -> Result<Option<ServiceAccount>, sqlx::Error> {
    let row: Option<AccountRow> = sqlx::query_as(select!("WHERE name = $1")).bind(id).fetch_optional(conn).await?;
    Ok(row.map(ServiceAccount::from))
}

/// The accounts after a name, by name.
pub(crate) async fn list(conn: &mut PgConnection, after: &str, limit: i64) -> Result<Vec<ServiceAccount>, sqlx::Error> {
    let query = sqlx::query_as(select!("WHERE name > $1 ORDER BY name LIMIT $2"));
    let rows: Vec<AccountRow> = query.bind(after).bind(limit).fetch_all(conn).await?;
    Ok(rows.into_iter().map(ServiceAccount::from).collect())
}

pub(crate) async fn set_display_name(conn: &mut PgConnection, id: &str, name: &str) -> Result<(), sqlx::Error> {
    let sql = "UPDATE service_accounts SET display_name = $2 WHERE name = $1";
    sqlx::query(sql).bind(id).bind(name).execute(conn).await.map(|_| ())
}

pub(crate) async fn delete(conn: &mut PgConnection, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM service_accounts WHERE name = $1").bind(id).execute(conn).await.map(|_| ())
}

kontor_postgres::from_row! {
    struct AccountRow {
        name: String,
        display_name: String,
        built_in: bool,
        create_time: DateTime<Utc>,
    }
}

impl From<AccountRow> for ServiceAccount {
    fn from(row: AccountRow) -> Self {
        let AccountRow { name: id, display_name, built_in, create_time } = row;
        Self { id, display_name, built_in, create_time }
    }
}
