//! Removes what has ended a day ago or more, a bounded number of rows at a time.

use sqlx::PgConnection;

/// The statements, each with the number of rows as its parameter. Refresh tokens go with their session.
const STATEMENTS: [&str; 6] = [
    "DELETE FROM sign_ups WHERE id IN (SELECT id FROM sign_ups \
     WHERE expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions \
     WHERE expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM password_resets WHERE id IN (SELECT id FROM password_resets \
     WHERE expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM challenges WHERE token_hash IN (SELECT token_hash FROM challenges \
     WHERE expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM throttles WHERE key IN (SELECT key FROM throttles \
     WHERE free_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM mails WHERE id IN (SELECT id FROM mails \
     WHERE sent_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
];

/// Removes at most `limit` rows of each kind, and tells how many went.
pub(crate) async fn delete(conn: &mut PgConnection, limit: i64) -> Result<u64, sqlx::Error> {
    let mut deleted = 0;
    for statement in STATEMENTS {
        deleted += sqlx::query(statement).bind(limit).execute(&mut *conn).await?.rows_affected();
    }
    Ok(deleted)
}
