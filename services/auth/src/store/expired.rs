//! Deletes expired rows, a bounded number at a time. Audit events are never deleted; the service's role has given up the right to.

use sqlx::PgConnection;

/// The statements, each with the number of rows as its parameter. A session is deleted after its last refresh token, so that no
/// statement deletes more rows by cascade.
const STATEMENTS: [&str; 11] = [
    "DELETE FROM sign_ups WHERE id IN (SELECT id FROM sign_ups \
     WHERE expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM password_resets WHERE id IN (SELECT id FROM password_resets \
     WHERE expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM challenges WHERE token_hash IN (SELECT token_hash FROM challenges \
     WHERE expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM refresh_tokens WHERE token_hash IN (SELECT t.token_hash FROM refresh_tokens t \
     JOIN sessions s ON s.id = t.session_id \
     WHERE s.expire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE OF t SKIP LOCKED)",
    "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions s WHERE expire_time < now() - interval '1 day' \
     AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = s.id) LIMIT $1 FOR UPDATE SKIP LOCKED)",
    // A token that is used again this late is refused as unknown, and ends no session.
    "DELETE FROM refresh_tokens WHERE token_hash IN (SELECT token_hash FROM refresh_tokens \
     WHERE use_time < now() - interval '30 days' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM throttles WHERE key IN (SELECT key FROM throttles \
     WHERE free_time < now() LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE sent_time < now() - interval '1 day' \
     OR (failure IS NOT NULL AND next_attempt_time < now() - interval '1 day') LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM revocations WHERE sid IN (SELECT sid FROM revocations \
     WHERE expire_time < now() LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM signing_keys WHERE kid IN (SELECT kid FROM signing_keys \
     WHERE retire_time < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)",
    "DELETE FROM service_keys WHERE hash IN (SELECT hash FROM service_keys \
     WHERE expire_time < now() - interval '30 days' LIMIT $1 FOR UPDATE SKIP LOCKED)",
];

pub(crate) const KINDS: usize = STATEMENTS.len();

/// Deletes at most `limit` rows of one kind, and returns how many.
pub(crate) async fn delete(conn: &mut PgConnection, kind: usize, limit: i64) -> Result<u64, sqlx::Error> {
    let Some(statement) = STATEMENTS.get(kind) else { return Ok(0) };
    Ok(sqlx::query(*statement).bind(limit).execute(conn).await?.rows_affected())
}
