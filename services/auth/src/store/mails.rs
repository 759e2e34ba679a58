//! Outgoing mail.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kontor_types::ids::new_uuid;
use secrecy::ExposeSecret;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::mail::Letter;

kontor_postgres::from_row! {
    pub(crate) struct Queued {
        pub(crate) id: Uuid,
        pub(crate) to: String,
        pub(crate) subject: String,
        pub(crate) text: String,
        pub(crate) create_time: DateTime<Utc>,
        /// The attempts to send it, including the one under way.
        pub(crate) attempts: i32,
        pub(crate) is_expired: bool,
    }
}

/// Queues a mail, unless one with the same key was queued before.
pub(crate) async fn insert(conn: &mut PgConnection, letter: &Letter) -> Result<(), sqlx::Error> {
    insert_if(conn, true, letter).await
}

/// Queues a mail, or takes about the same time to do nothing.
pub(crate) async fn insert_if(conn: &mut PgConnection, wanted: bool, letter: &Letter) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO mails (id, recipient, subject, body, dedupe_key, expire_time) \
               SELECT $1, $2, $3, $4, $5, now() + $6 * interval '1 second' WHERE $7 ON CONFLICT (dedupe_key) DO NOTHING";
    let query = sqlx::query(sql).bind(new_uuid()).bind(&letter.to).bind(letter.subject);
    let query = query.bind(letter.text.expose_secret()).bind(&letter.dedupe_key).bind(letter.life_seconds);
    query.bind(wanted).execute(conn).await.map(|_| ())
}

/// Locks the mails that have been due for longest and that no other process sends. Their attempts are those after
/// [`set_claimed`].
pub(crate) async fn lock_due(conn: &mut PgConnection, limit: usize) -> Result<Vec<Queued>, sqlx::Error> {
    let sql = "SELECT id, recipient AS to, subject, body AS text, create_time, attempts + 1 AS attempts, \
               coalesce(expire_time <= now(), false) AS is_expired FROM mails \
               WHERE sent_time IS NULL AND failure IS NULL AND next_attempt_time <= now() \
               ORDER BY next_attempt_time LIMIT $1 FOR UPDATE SKIP LOCKED";
    sqlx::query_as(sql).bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(conn).await
}

/// Counts an attempt, and leases the mails for so many seconds.
pub(crate) async fn set_claimed(conn: &mut PgConnection, ids: &[Uuid], seconds: i64) -> Result<(), sqlx::Error> {
    let sql = "UPDATE mails SET attempts = attempts + 1, next_attempt_time = now() + $2 * interval '1 second' \
               WHERE id = ANY($1)";
    sqlx::query(sql).bind(ids).bind(seconds).execute(conn).await.map(|_| ())
}

/// Marks a mail as sent, whichever process holds the lease, and empties its text.
pub(crate) async fn set_sent(conn: &mut PgConnection, id: Uuid) -> Result<(), sqlx::Error> {
    let sql = "UPDATE mails SET sent_time = now(), failure = NULL, body = '' WHERE id = $1 AND sent_time IS NULL";
    sqlx::query(sql).bind(id).execute(conn).await.map(|_| ())
}

/// Postpones a mail, unless another process has tried it since.
pub(crate) async fn set_postponed(
    conn: &mut PgConnection,
    id: Uuid,
    attempts: i32,
    pause: Duration,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE mails SET next_attempt_time = now() + $3 * interval '1 millisecond' \
               WHERE id = $1 AND attempts = $2 AND sent_time IS NULL AND failure IS NULL";
    let pause = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    sqlx::query(sql).bind(id).bind(attempts).bind(pause).execute(conn).await.map(|_| ())
}

/// Gives a mail up, unless another process has tried it since, and empties its text.
pub(crate) async fn set_failed(
    conn: &mut PgConnection,
    id: Uuid,
    attempts: i32,
    reason: &str,
) -> Result<(), sqlx::Error> {
    let sql = "UPDATE mails SET failure = $3, body = '', next_attempt_time = now() \
               WHERE id = $1 AND attempts = $2 AND sent_time IS NULL";
    sqlx::query(sql).bind(id).bind(attempts).bind(reason).execute(conn).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use kontor_postgres::testing::{role, server};
    use kontor_postgres::{PoolOptions, connect, migrate};

    use super::*;
    use crate::domain::email::Email;
    use crate::domain::links::Links;
    use crate::domain::mail;

    #[tokio::test]
    async fn the_same_key_is_one_mail_and_without_a_key_each_is_another() {
        let role = role("kontor_auth", "auth");
        let database = server().await.unwrap().database(std::slice::from_ref(&role)).await.unwrap();
        let pool = connect(&PoolOptions::new(database.url(&role))).await.unwrap();
        migrate(&pool, &crate::migrations()).await.unwrap();
        let (to, links) = (Email::parse("ada@example.org").unwrap(), Links::parse("https://shop.example").unwrap());
        let reset = |name| mail::password_reset(&to, name, &"12345678".into(), &links);
        let mut conn = pool.acquire().await.unwrap();
        for letter in [reset("1"), reset("1"), reset("2"), mail::password_changed(&to), mail::password_changed(&to)] {
            insert(&mut conn, &letter).await.unwrap();
        }
        let due = lock_due(&mut conn, 10).await.unwrap();
        let mut subjects: Vec<_> = due.iter().map(|mail| mail.subject.as_str()).collect();
        subjects.sort_unstable();
        let (reset, changed) = ("Choose a new password", "Your password was changed");
        assert_eq!(subjects, [reset, reset, changed, changed]);
        assert!(due.iter().all(|mail| !mail.is_expired && mail.attempts == 1));
    }
}
