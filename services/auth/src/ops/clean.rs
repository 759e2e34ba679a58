//! Forgetting what has ended.

use super::{Auth, Error};
use crate::store;

/// The most rows of each kind that go in one transaction.
const BATCH: i64 = 500;

/// Removes sign-ups, sessions and mails that ended a day ago or more; tells whether there may be more.
pub(crate) async fn clean(auth: &Auth) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    let deleted = store::expired::delete(&mut tx, BATCH).await?;
    tx.commit().await?;
    Ok(deleted >= BATCH.unsigned_abs())
}
