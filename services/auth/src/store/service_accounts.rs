//! Service accounts and the hashes of their keys.

use sqlx::PgConnection;

use crate::domain::hash::SecretHash;
use crate::domain::service_key::ServiceKey;

/// Adds a key, and its account if need be. One that is there already stays as it is.
pub(crate) async fn insert_key(conn: &mut PgConnection, key: &ServiceKey) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO service_accounts (name) VALUES ($1) ON CONFLICT (name) DO NOTHING";
    sqlx::query(sql).bind(&key.account).execute(&mut *conn).await?;
    let sql = "INSERT INTO service_keys (hash, account) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING";
    sqlx::query(sql).bind(&key.hash.0).bind(&key.account).execute(conn).await.map(|_| ())
}

/// The account of a key.
pub(crate) async fn find_account(conn: &mut PgConnection, hash: &SecretHash) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT account FROM service_keys WHERE hash = $1";
    sqlx::query_scalar(sql).bind(&hash.0).fetch_optional(conn).await
}
