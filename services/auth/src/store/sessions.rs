//! Sessions: what a refresh token belongs to. They end in `revocations`.

use chrono::{DateTime, Utc};
use kontor_types::PageToken;
use kontor_types::ids::{SessionId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::origin::Origin;
use crate::domain::refresh::SESSION_SECONDS;
use crate::domain::session::{Session, SessionName};

pub(crate) async fn insert(
    conn: &mut PgConnection,
    name: SessionName,
    client: &str,
    origin: &Origin,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO sessions (id, user_id, client, address, user_agent, expire_time) \
               VALUES ($1, $2, $3, $4, $5, now() + $6 * interval '1 second')";
    let query = sqlx::query(sql).bind(name.id.0).bind(name.user.0).bind(client);
    let query = query.bind(origin.address_text()).bind(&origin.user_agent).bind(SESSION_SECONDS);
    query.execute(conn).await.map(|_| ())
}

/// Locks an open session, and returns its user. Sessions of suspended users are not open.
pub(crate) async fn lock_open(conn: &mut PgConnection, id: SessionId) -> Result<Option<UserId>, sqlx::Error> {
    let sql = "SELECT s.user_id FROM sessions s JOIN users u ON u.id = s.user_id \
               WHERE s.id = $1 AND s.revoke_time IS NULL AND s.expire_time > now() AND u.suspend_time IS NULL \
               FOR UPDATE OF s";
    let user: Option<Uuid> = sqlx::query_scalar(sql).bind(id.0).fetch_optional(conn).await?;
    Ok(user.map(UserId))
}

/// The user of a session, open or not.
pub(crate) async fn find_user(conn: &mut PgConnection, id: SessionId) -> Result<Option<UserId>, sqlx::Error> {
    let sql = "SELECT user_id FROM sessions WHERE id = $1";
    let user: Option<Uuid> = sqlx::query_scalar(sql).bind(id.0).fetch_optional(conn).await?;
    Ok(user.map(UserId))
}

/// The open sessions of a user after a page token, newest first.
pub(crate) async fn list_open(
    conn: &mut PgConnection,
    user: UserId,
    after: Option<PageToken>,
    limit: i64,
) -> Result<Vec<Session>, sqlx::Error> {
    let sql = "SELECT id, user_id, address, user_agent, create_time, refresh_time, expire_time FROM sessions \
               WHERE user_id = $1 AND id < $2 AND revoke_time IS NULL AND expire_time > now() \
               ORDER BY id DESC LIMIT $3";
    let before = after.map_or(Uuid::max(), |token| token.after);
    let rows: Vec<SessionRow> = sqlx::query_as(sql).bind(user.0).bind(before).bind(limit).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// Extends a session to the lifetime of a new one.
pub(crate) async fn set_refreshed(conn: &mut PgConnection, id: SessionId) -> Result<(), sqlx::Error> {
    let sql = "UPDATE sessions SET refresh_time = now(), expire_time = now() + $2 * interval '1 second' WHERE id = $1";
    sqlx::query(sql).bind(id.0).bind(SESSION_SECONDS).execute(conn).await.map(|_| ())
}

kontor_postgres::from_row! {
    struct SessionRow {
        id: Uuid,
        user_id: Uuid,
        address: String,
        user_agent: String,
        create_time: DateTime<Utc>,
        refresh_time: DateTime<Utc>,
        expire_time: DateTime<Utc>,
    }
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        let SessionRow { id, user_id, address, user_agent, create_time, refresh_time, expire_time } = row;
        let name = SessionName { user: UserId(user_id), id: SessionId(id) };
        Self { name, address, user_agent, create_time, refresh_time, expire_time }
    }
}
