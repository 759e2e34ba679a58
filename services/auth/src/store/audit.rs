//! Audit events: added, read, and never changed.

use kontor_types::ids::new_uuid;
use sqlx::PgConnection;
use sqlx::types::Json;

use crate::domain::audit::Event;
use crate::ops::Who;

/// Writes down what `who` does, in the transaction that does it.
pub(crate) async fn insert(conn: &mut PgConnection, who: &Who, event: &Event) -> Result<(), sqlx::Error> {
    insert_as(conn, &who.caller.subject.to_string(), who, event).await
}

/// Writes it down under another name than the caller's: that of whoever has just shown who they are, or "system".
pub(crate) async fn insert_as(
    conn: &mut PgConnection,
    actor: &str,
    who: &Who,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO audit_events (id, action, actor, resource, address, user_agent, details) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let details: std::collections::BTreeMap<_, _> = event.details.iter().map(|(key, value)| (*key, value)).collect();
    sqlx::query(sql)
        .bind(new_uuid())
        .bind(event.action)
        .bind(actor)
        .bind(&event.resource)
        .bind(who.origin.address_text())
        .bind(&who.origin.user_agent)
        .bind(Json(details))
        .execute(conn)
        .await
        .map(|_| ())
}
