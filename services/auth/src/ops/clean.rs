//! Deleting expired rows.

use super::{Auth, Error};
use crate::store::expired;

/// The most rows that one statement deletes.
const BATCH: i64 = 500;

impl Auth {
    /// Deletes a batch of each kind of expired rows, and returns whether there may be more. Each kind has a transaction of its own, so that
    /// locks are short.
    pub async fn delete_expired(&self) -> Result<bool, Error> {
        let mut is_more = false;
        for kind in 0..expired::KINDS {
            let mut conn = self.pool.acquire().await?;
            let deleted = expired::delete(&mut conn, kind, BATCH).await?;
            is_more |= deleted >= BATCH.unsigned_abs();
        }
        Ok(is_more)
    }
}
