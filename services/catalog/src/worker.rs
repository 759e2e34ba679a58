//! Looks for holds that have expired.

use std::time::Duration;

use kontor_postgres::in_time;
use tokio_util::sync::CancellationToken;

use crate::ops::Catalog;

/// How often to look.
const EVERY: Duration = Duration::from_secs(1);
/// Most holds that one transaction ends.
const BATCH: usize = 50;

/// Lets the units of expired holds go until `stop`.
pub async fn run(catalog: Catalog, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match in_time(catalog.expire(BATCH as i64)).await {
            // Perhaps there are more.
            Ok(BATCH..) => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = %kontor_runtime::fault::chain(&error), "could not look for expired holds")
            }
        }
        let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
    }
}
