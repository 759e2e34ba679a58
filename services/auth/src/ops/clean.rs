//! Forgetting what has ended.

use super::{Auth, Error};
use crate::store::expired;

/// The most rows that go in one transaction.
const BATCH: i64 = 500;

/// Removes a batch of each kind of rows that have ended; tells whether there may be more. Each kind has a transaction of its
/// own, so none holds locks for long.
pub(crate) async fn clean(auth: &Auth) -> Result<bool, Error> {
    let mut is_more = false;
    for kind in 0..expired::KINDS {
        let mut conn = auth.pool.acquire().await?;
        let deleted = expired::delete(&mut conn, kind, BATCH).await?;
        is_more |= deleted >= BATCH.unsigned_abs();
    }
    Ok(is_more)
}
