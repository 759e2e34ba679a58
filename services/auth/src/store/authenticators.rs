//! Authenticators, one for each user at most.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use sqlx::PgConnection;

kontor_postgres::from_row! {
    pub(crate) struct Kept {
        pub(crate) sealed_secret: Vec<u8>,
        /// None while it waits for its first code.
        pub(crate) confirm_time: Option<DateTime<Utc>>,
    }
}

pub(crate) async fn find(conn: &mut PgConnection, user: UserId) -> Result<Option<Kept>, sqlx::Error> {
    let sql = "SELECT sealed_secret, confirm_time FROM authenticators WHERE user_id = $1";
    sqlx::query_as(sql).bind(user.0).fetch_optional(conn).await
}

/// Adds an authenticator that waits for its first code, in place of another that does. False if a confirmed one exists.
pub(crate) async fn begin(conn: &mut PgConnection, user: UserId, sealed: &[u8]) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO authenticators (user_id, sealed_secret) VALUES ($1, $2) \
               ON CONFLICT (user_id) DO UPDATE SET sealed_secret = $2, last_step = 0, create_time = now() \
               WHERE authenticators.confirm_time IS NULL";
    let begun = sqlx::query(sql).bind(user.0).bind(sealed).execute(conn).await?;
    Ok(begun.rows_affected() > 0)
}

pub(crate) async fn set_confirmed(conn: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    let sql = "UPDATE authenticators SET confirm_time = now() WHERE user_id = $1 AND confirm_time IS NULL";
    sqlx::query(sql).bind(user.0).execute(conn).await.map(|_| ())
}

/// Uses up the codes of a step and of those before. False if they are used up already.
pub(crate) async fn use_step(conn: &mut PgConnection, user: UserId, step: i64) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE authenticators SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
    let used = sqlx::query(sql).bind(user.0).bind(step).execute(conn).await?;
    Ok(used.rows_affected() > 0)
}

/// Deletes an authenticator that waits for its first code.
pub(crate) async fn delete_pending(conn: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM authenticators WHERE user_id = $1 AND confirm_time IS NULL";
    sqlx::query(sql).bind(user.0).execute(conn).await.map(|_| ())
}

pub(crate) async fn delete(conn: &mut PgConnection, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM authenticators WHERE user_id = $1").bind(user.0).execute(conn).await.map(|_| ())
}
