//! The keys that sign access tokens.

use sqlx::PgConnection;

use crate::domain::signing_key::{PublicKey, SealedKey};

/// The key that signs.
pub(crate) async fn find_active(conn: &mut PgConnection) -> Result<Option<SealedKey>, sqlx::Error> {
    let sql = "SELECT kid, public, sealed_private FROM signing_keys \
               WHERE activate_time <= now() AND (retire_time IS NULL OR retire_time > now()) \
               ORDER BY activate_time DESC, kid LIMIT 1";
    let row: Option<(String, Vec<u8>, Vec<u8>)> = sqlx::query_as(sql).fetch_optional(conn).await?;
    Ok(row.map(|(kid, bytes, sealed_private)| SealedKey { public: PublicKey { kid, bytes }, sealed_private }))
}

/// Adds a key that signs from now on.
pub(crate) async fn insert_active(conn: &mut PgConnection, key: &SealedKey) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO signing_keys (kid, public, sealed_private) VALUES ($1, $2, $3)";
    let query = sqlx::query(sql).bind(&key.public.kid).bind(&key.public.bytes).bind(&key.sealed_private);
    query.execute(conn).await.map(|_| ())
}

/// The public parts of all keys: those that will sign, that signs, and whose tokens may still be in use.
pub(crate) async fn list_public(conn: &mut PgConnection) -> Result<Vec<PublicKey>, sqlx::Error> {
    let sql = "SELECT kid, public FROM signing_keys WHERE retire_time IS NULL OR retire_time > now() \
               ORDER BY create_time, kid";
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(sql).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(kid, bytes)| PublicKey { kid, bytes }).collect())
}
