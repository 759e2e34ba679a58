//! Outgoing mail.

use chrono::{DateTime, Utc};
use kontor_types::ids::new_uuid;
use secrecy::ExposeSecret;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::mail::Letter;

/// A mail that waits to be sent.
pub(crate) struct Queued {
    pub(crate) id: Uuid,
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) create_time: DateTime<Utc>,
}

/// Queues a mail.
pub(crate) async fn insert(conn: &mut PgConnection, letter: &Letter) -> Result<(), sqlx::Error> {
    insert_if(conn, true, letter).await
}

/// Queues a mail, or does nothing in about the same time.
pub(crate) async fn insert_if(conn: &mut PgConnection, wanted: bool, letter: &Letter) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO mails (id, recipient, subject, body) SELECT $1, $2, $3, $4 WHERE $5";
    let query = sqlx::query(sql).bind(new_uuid()).bind(&letter.to).bind(letter.subject);
    query.bind(letter.text.expose_secret()).bind(wanted).execute(conn).await.map(|_| ())
}

/// The oldest unsent mails that nobody else is sending, locked.
pub(crate) async fn lock_unsent(conn: &mut PgConnection, limit: i64) -> Result<Vec<Queued>, sqlx::Error> {
    let sql = "SELECT id, recipient, subject, body, create_time FROM mails WHERE sent_time IS NULL \
               ORDER BY create_time LIMIT $1 FOR UPDATE SKIP LOCKED";
    let rows: Vec<MailRow> = sqlx::query_as(sql).bind(limit).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Queued::from).collect())
}

/// Notes mails as sent, and forgets what they said.
pub(crate) async fn set_sent(conn: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    let sql = "UPDATE mails SET sent_time = now(), body = '', attempts = attempts + 1 WHERE id = ANY($1)";
    sqlx::query(sql).bind(ids).execute(conn).await.map(|_| ())
}

#[derive(sqlx::FromRow)]
struct MailRow {
    id: Uuid,
    recipient: String,
    subject: String,
    body: String,
    create_time: DateTime<Utc>,
}

impl From<MailRow> for Queued {
    fn from(row: MailRow) -> Self {
        let MailRow { id, recipient: to, subject, body: text, create_time } = row;
        Self { id, to, subject, text, create_time }
    }
}
