//! Revocations: access tokens that verifiers refuse before they expire.

use chrono::{DateTime, Utc};
use kontor_types::ids::{SessionId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::revocation::{KEPT_SECONDS, Revocation};

/// How far back the newest are read, in seconds: a row this old may have been committed just now.
const LATE_SECONDS: i64 = 15;

/// Whether the tokens of a session, or of a service account's key, are revoked.
pub(crate) async fn exists(conn: &mut PgConnection, sid: Uuid) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM revocations WHERE sid = $1)";
    sqlx::query_scalar(sql).bind(sid).fetch_one(conn).await
}

/// Ends a session and revokes its tokens. False if it had ended before.
pub(crate) async fn end_session(conn: &mut PgConnection, id: SessionId) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE sessions SET revoke_time = now() WHERE id = $1 AND revoke_time IS NULL AND expire_time > now()";
    let is_ended = sqlx::query(sql).bind(id.0).execute(&mut *conn).await?.rows_affected() > 0;
    if is_ended {
        insert(conn, &[id.0]).await?;
    }
    Ok(is_ended)
}

/// Ends the open sessions of these users, except for one, revokes their tokens, and returns their ids.
pub(crate) async fn end_sessions(
    conn: &mut PgConnection,
    users: &[UserId],
    except: Option<Uuid>,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = "UPDATE sessions SET revoke_time = now() WHERE user_id = ANY($1) \
               AND revoke_time IS NULL AND expire_time > now() AND id IS DISTINCT FROM $2 RETURNING id";
    let users: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let sids: Vec<Uuid> = sqlx::query_scalar(sql).bind(users).bind(except).fetch_all(&mut *conn).await?;
    insert(conn, &sids).await?;
    Ok(sids)
}

/// Revokes the tokens of these sessions, or keys of service accounts.
pub(crate) async fn insert(conn: &mut PgConnection, sids: &[Uuid]) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO revocations (sid, expire_time) \
               SELECT sid, now() + $2 * interval '1 second' FROM unnest($1::uuid[]) AS sid \
               ON CONFLICT (sid) DO NOTHING";
    sqlx::query(sql).bind(sids).bind(KEPT_SECONDS).execute(conn).await.map(|_| ())
}

/// All revocations that have not expired.
pub(crate) async fn list(conn: &mut PgConnection) -> Result<Vec<Revocation>, sqlx::Error> {
    let sql =
        "SELECT sid, expire_time FROM revocations WHERE expire_time > clock_timestamp() ORDER BY revoke_time, sid";
    Ok(from_rows(sqlx::query_as(sql).fetch_all(conn).await?))
}

/// The newest revocations, including those that were committed late.
pub(crate) async fn list_newest(conn: &mut PgConnection) -> Result<Vec<Revocation>, sqlx::Error> {
    let sql = "SELECT sid, expire_time FROM revocations \
               WHERE revoke_time > clock_timestamp() - $1 * interval '1 second' AND expire_time > clock_timestamp() \
               ORDER BY revoke_time, sid";
    Ok(from_rows(sqlx::query_as(sql).bind(LATE_SECONDS).fetch_all(conn).await?))
}

fn from_rows(rows: Vec<(Uuid, DateTime<Utc>)>) -> Vec<Revocation> {
    rows.into_iter().map(|(sid, expire_time)| Revocation { sid, expire_time }).collect()
}
