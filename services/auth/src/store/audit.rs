//! Audit events: added, read, and never changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kontor_types::PageToken;
use kontor_types::ids::new_uuid;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::audit::{Actor, Entry, Event};

/// Records an event, in the transaction that it is about.
pub(crate) async fn insert(conn: &mut PgConnection, by: impl Into<Actor>, event: &Event) -> Result<(), sqlx::Error> {
    let Actor { name, origin } = by.into();
    let sql = "INSERT INTO audit_events (id, action, actor, resource, address, user_agent, details) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let details: BTreeMap<_, _> = event.details.iter().map(|(key, value)| (*key, value)).collect();
    sqlx::query(sql)
        .bind(new_uuid())
        .bind(event.action)
        .bind(name)
        .bind(&event.resource)
        .bind(origin.address_text())
        .bind(&origin.user_agent)
        .bind(Json(details))
        .execute(conn)
        .await
        .map(|_| ())
}

/// Records an event of another actor than the caller: of a user who has just authenticated, or of "system".
pub(crate) async fn insert_as(
    conn: &mut PgConnection,
    actor: &str,
    by: impl Into<Actor>,
    event: &Event,
) -> Result<(), sqlx::Error> {
    insert(conn, Actor { name: actor.to_owned(), ..by.into() }, event).await
}

macro_rules! select {
    ($filter:literal) => {
        concat!(
            "SELECT id, action, actor, resource, address, user_agent, details, create_time FROM audit_events WHERE id < $1",
            $filter,
            " ORDER BY id DESC LIMIT $2"
        )
    };
}

/// The events before a page token, newest first: all, or those of a resource, an actor, or both.
pub(crate) async fn list(
    conn: &mut PgConnection,
    resource: Option<&str>,
    actor: Option<&str>,
    before: Option<PageToken>,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    // One statement each, so that each finds its index.
    let query = match (resource, actor) {
        (None, None) => sqlx::query_as(select!("")),
        (Some(_), None) => sqlx::query_as(select!(" AND resource = $3")),
        (None, Some(_)) => sqlx::query_as(select!(" AND actor = $3")),
        (Some(_), Some(_)) => sqlx::query_as(select!(" AND resource = $3 AND actor = $4")),
    };
    let mut query = query.bind(before.map_or(Uuid::max(), |token| token.after)).bind(limit);
    for filter in [resource, actor].into_iter().flatten() {
        query = query.bind(filter);
    }
    let rows: Vec<EntryRow> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

kontor_postgres::from_row! {
    struct EntryRow {
        id: Uuid,
        action: String,
        actor: String,
        resource: String,
        address: String,
        user_agent: String,
        details: Json<BTreeMap<String, String>>,
        create_time: DateTime<Utc>,
    }
}

impl From<EntryRow> for Entry {
    fn from(row: EntryRow) -> Self {
        let EntryRow { id, action, actor, resource, address, user_agent, details: Json(details), create_time } = row;
        Self { id, action, actor, resource, address, user_agent, details, create_time }
    }
}
