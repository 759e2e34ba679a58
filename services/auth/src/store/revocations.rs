//! Whose access tokens are to be refused before they expire.

use kontor_types::ids::UserId;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::revocation::KEPT_SECONDS;

/// Ends the open sessions of a user but for one, and notes their tokens as revoked. Answers which.
pub(crate) async fn end_sessions(
    conn: &mut PgConnection,
    user: UserId,
    except: Option<Uuid>,
) -> Result<Vec<Uuid>, sqlx::Error> {
    let sql = "UPDATE sessions SET revoke_time = now() \
               WHERE user_id = $1 AND revoke_time IS NULL AND expire_time > now() AND id IS DISTINCT FROM $2 RETURNING id";
    let sids: Vec<Uuid> = sqlx::query_scalar(sql).bind(user.0).bind(except).fetch_all(&mut *conn).await?;
    insert(conn, &sids).await?;
    Ok(sids)
}

/// Ends all open sessions of these users, and notes their tokens as revoked.
pub(crate) async fn end_sessions_of_all(conn: &mut PgConnection, users: &[UserId]) -> Result<(), sqlx::Error> {
    let sql = "UPDATE sessions SET revoke_time = now() \
               WHERE user_id = ANY($1) AND revoke_time IS NULL AND expire_time > now() RETURNING id";
    let users: Vec<Uuid> = users.iter().map(|user| user.0).collect();
    let sids: Vec<Uuid> = sqlx::query_scalar(sql).bind(users).fetch_all(&mut *conn).await?;
    insert(conn, &sids).await
}

/// Notes the tokens of these sessions, or keys of service accounts, as revoked.
pub(crate) async fn insert(conn: &mut PgConnection, sids: &[Uuid]) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO revocations (sid, expire_time) \
               SELECT sid, now() + $2 * interval '1 second' FROM unnest($1::uuid[]) AS sid \
               ON CONFLICT (sid) DO NOTHING";
    sqlx::query(sql).bind(sids).bind(KEPT_SECONDS).execute(conn).await.map(|_| ())
}
