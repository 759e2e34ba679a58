//! Calls that are safe to repeat (AIP-155): the first answer to a request id is kept, in the transaction that does the work,
//! and given again to whoever sends the same request with the same id.
//!
//! Each service's own migration creates the table:
//!
//! ```sql
//! CREATE TABLE idempotency_keys (
//!     caller       text        NOT NULL,
//!     request_id   uuid        NOT NULL,
//!     method       text        NOT NULL,
//!     request_hash bytea       NOT NULL,
//!     answer       bytea       NOT NULL,
//!     create_time  timestamptz NOT NULL DEFAULT now(),
//!     PRIMARY KEY (caller, request_id)
//! );
//! ```

use aws_lc_rs::digest::{SHA256, digest};
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

/// One call, as its repetitions are recognised.
#[derive(Clone, Debug)]
pub struct Key {
    /// Who calls; each caller's ids are its own.
    pub caller: String,
    /// The id that the caller chose.
    pub request_id: Uuid,
    /// The method's name.
    pub method: &'static str,
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
}

impl Key {
    /// Of a call, with the bytes that make the request what it is (without the id itself).
    pub fn new(caller: String, request_id: Uuid, method: &'static str, request: &[u8]) -> Self {
        Self { caller, request_id, method, request_hash: digest(&SHA256, request).as_ref().to_vec() }
    }

    /// Of a call whose request holds the id in the field `id`: it is taken out, and the rest makes the request what it is. `None` if
    /// the caller gave none.
    pub fn take<M: Message>(
        caller: String,
        method: &'static str,
        request: &mut M,
        id: impl FnOnce(&mut M) -> &mut String,
    ) -> Option<Self> {
        let request_id = Uuid::try_parse(&std::mem::take(id(request))).ok()?;
        Some(Self::new(caller, request_id, method, &request.encode_to_vec()))
    }
}

/// What is known of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: do the work.
    Never,
    /// It was done; this was the answer.
    Answered(Vec<u8>),
    /// The id was used for something else.
    Otherwise,
}

/// Looks a call up.
///
/// # Errors
/// Those of the database.
pub async fn find(conn: &mut PgConnection, key: &Key) -> Result<Seen, sqlx::Error> {
    let row: Option<(String, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT method, request_hash, answer FROM idempotency_keys WHERE caller = $1 AND request_id = $2",
    )
    .bind(&key.caller)
    .bind(key.request_id)
    .fetch_optional(conn)
    .await?;
    Ok(match row {
        None => Seen::Never,
        Some((method, hash, answer)) if method == key.method && hash == key.request_hash => Seen::Answered(answer),
        Some(_) => Seen::Otherwise,
    })
}

/// Keeps the answer to a call. False if another transaction was faster with the same id: roll back, and look again.
///
/// # Errors
/// Those of the database.
pub async fn insert(conn: &mut PgConnection, key: &Key, answer: &[u8]) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query(
        "INSERT INTO idempotency_keys (caller, request_id, method, request_hash, answer) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(&key.caller)
    .bind(key.request_id)
    .bind(key.method)
    .bind(&key.request_hash)
    .bind(answer)
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Keeps the answer to a call that was never seen ([`Seen::Never`], and from now on this answer stands), or tells what is known of it.
/// Waits for another transaction that has the same id and has not ended yet.
///
/// # Errors
/// Those of the database.
pub async fn insert_or_find(conn: &mut PgConnection, key: &Key, answer: &[u8]) -> Result<Seen, sqlx::Error> {
    if insert(conn, key, answer).await? {
        return Ok(Seen::Never);
    }
    match find(conn, key).await? {
        // It was there and is gone: whoever goes on as the first would do so without a key.
        Seen::Never => Ok(Seen::Otherwise),
        seen => Ok(seen),
    }
}

/// Keeps the answer to a call whose key was inserted with an empty one, for work that is more than one transaction. False if another
/// one was faster.
///
/// # Errors
/// Those of the database.
pub async fn set_answer(conn: &mut PgConnection, key: &Key, answer: &[u8]) -> Result<bool, sqlx::Error> {
    let updated =
        sqlx::query("UPDATE idempotency_keys SET answer = $3 WHERE caller = $1 AND request_id = $2 AND answer = ''")
            .bind(&key.caller)
            .bind(key.request_id)
            .bind(answer)
            .execute(conn)
            .await?;
    Ok(updated.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[derive(Clone, PartialEq, prost::Message)]
    struct Order {
        #[prost(string, tag = "1")]
        what: String,
        #[prost(string, tag = "2")]
        request_id: String,
    }

    fn key(what: &str, request_id: &str) -> Option<Key> {
        let mut order = Order { what: what.into(), request_id: request_id.into() };
        let key = Key::take("users/1".into(), "Order", &mut order, |order| &mut order.request_id);
        assert_eq!(order, Order { what: what.into(), request_id: String::new() });
        key
    }

    #[test]
    fn the_id_is_no_part_of_what_is_compared() {
        let (lower, upper) = ("0192a000-0000-7000-8000-00000000abcd", "0192A000-0000-7000-8000-00000000ABCD");
        let [one, other, same] = [key("tea", lower), key("milk", lower), key("tea", upper)].map(Option::unwrap);
        assert_eq!((one.request_id, &one.request_hash), (same.request_id, &same.request_hash));
        assert_ne!(one.request_hash, other.request_hash);
        assert!(key("tea", "").is_none());
    }
}
