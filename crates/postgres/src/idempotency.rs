//! Calls that are safe to repeat (AIP-155): the first answer to a request id is kept, in the transaction that does the work,
//! and given again to a caller that sends the same request with the same id.
//!
//! [`crate::Migrations::with_outbox`] makes the table.

use aws_lc_rs::digest::{SHA256, digest};
use prost::Message;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::StoreError;

/// What repetitions of a call are recognised by.
#[derive(Clone, Debug)]
pub struct Key {
    /// Who calls; each caller's ids are its own.
    pub caller: String,
    pub request_id: Uuid,
    pub method: &'static str,
    pub request_hash: Vec<u8>,
}

impl Key {
    /// Of a call, with the bytes that make the request what it is (without the id itself).
    pub fn new(caller: String, request_id: Uuid, method: &'static str, request: &[u8]) -> Self {
        Self { caller, request_id, method, request_hash: digest(&SHA256, request).as_ref().to_vec() }
    }

    /// Of a call whose request holds the id in the field `id`: the id is taken out, and the rest makes the request what it is. `None` if
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

/// An answer that is kept, to be given again.
pub trait Answer: Sized {
    /// The bytes to keep.
    fn to_bytes(&self) -> Vec<u8>;

    /// The answer in bytes that were kept; `None` if they hold no such answer.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A call whose repetitions need no answer but that they are repetitions.
impl Answer for () {
    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    fn from_bytes(_: &[u8]) -> Option<Self> {
        Some(())
    }
}

/// The id of what a call made.
impl Answer for Uuid {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_slice(bytes).ok()
    }
}

/// The answer that the same call was given before; `None` if it is new, or carries no key.
///
/// # Errors
/// [`StoreError::KeyReused`], and those of the database. An answer that can't be read is an error, too: doing the work again would be worse.
pub async fn replay<T: Answer>(conn: &mut PgConnection, key: Option<&Key>) -> Result<Option<T>, StoreError> {
    let Some(key) = key else { return Ok(None) };
    let row: Option<(String, Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT method, request_hash, answer FROM idempotency_keys WHERE caller = $1 AND request_id = $2",
    )
    .bind(&key.caller)
    .bind(key.request_id)
    .fetch_optional(conn)
    .await?;
    let Some((method, hash, answer)) = row else { return Ok(None) };
    if method != key.method || hash != key.request_hash {
        return Err(StoreError::KeyReused);
    }
    let answer = T::from_bytes(&answer).ok_or_else(|| unreadable(key))?;
    tracing::info!(request_id = %key.request_id, method = key.method, "a call was repeated");
    Ok(Some(answer))
}

fn unreadable(key: &Key) -> sqlx::Error {
    sqlx::Error::Decode(format!("the kept answer of {} {} can't be read", key.method, key.request_id).into())
}

/// Keeps the answer to a call. False if another transaction was faster with the same id: roll back, and [`replay`] it.
/// A call without a key is always the first.
pub async fn insert(conn: &mut PgConnection, key: Option<&Key>, answer: &impl Answer) -> Result<bool, sqlx::Error> {
    let Some(key) = key else { return Ok(true) };
    let inserted = sqlx::query(
        "INSERT INTO idempotency_keys (caller, request_id, method, request_hash, answer) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(&key.caller)
    .bind(key.request_id)
    .bind(key.method)
    .bind(&key.request_hash)
    .bind(answer.to_bytes())
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Keeps the answer to a call that is new, or returns the answer that the same call was given before.
/// Waits for another transaction that has the same id and has not ended yet.
///
/// # Errors
/// [`StoreError::KeyReused`], and those of the database.
pub async fn insert_or_replay<T: Answer>(
    conn: &mut PgConnection,
    key: Option<&Key>,
    answer: &T,
) -> Result<Option<T>, StoreError> {
    if insert(conn, key, answer).await? {
        return Ok(None);
    }
    // A row that was there and is gone: going on as the first call would do the work without a key.
    Ok(Some(replay(conn, key).await?.ok_or(StoreError::KeyReused)?))
}

/// Keeps the answer to a call whose key was inserted with an empty one, for work that is more than one transaction. False if another
/// call was faster.
pub async fn set_answer(conn: &mut PgConnection, key: &Key, answer: &impl Answer) -> Result<bool, sqlx::Error> {
    let updated =
        sqlx::query("UPDATE idempotency_keys SET answer = $3 WHERE caller = $1 AND request_id = $2 AND answer = ''")
            .bind(&key.caller)
            .bind(key.request_id)
            .bind(answer.to_bytes())
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
