//! Recovery codes, by their hashes.

use kontor_types::ids::UserId;
use sqlx::PgConnection;

use crate::domain::hash::SecretHash;

/// Replaces all codes of a user.
pub(crate) async fn replace(conn: &mut PgConnection, user: UserId, hashes: &[SecretHash]) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM recovery_codes WHERE user_id = $1").bind(user.0).execute(&mut *conn).await?;
    let hashes: Vec<_> = hashes.iter().map(|hash| hash.0.as_slice()).collect();
    let sql = "INSERT INTO recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[])";
    sqlx::query(sql).bind(user.0).bind(hashes).execute(conn).await.map(|_| ())
}

/// Uses a code up. False if it does not exist or was used.
pub(crate) async fn use_up(conn: &mut PgConnection, user: UserId, hash: &SecretHash) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE recovery_codes SET use_time = now() WHERE user_id = $1 AND code_hash = $2 AND use_time IS NULL";
    let used = sqlx::query(sql).bind(user.0).bind(&hash.0).execute(conn).await?;
    Ok(used.rows_affected() > 0)
}

pub(crate) async fn count_left(conn: &mut PgConnection, user: UserId) -> Result<i64, sqlx::Error> {
    let sql = "SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND use_time IS NULL";
    sqlx::query_scalar(sql).bind(user.0).fetch_one(conn).await
}
