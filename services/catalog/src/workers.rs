//! The background workers of the catalog.

use std::time::Duration;

use kontor_runtime::{Progress, Worker};

use crate::ops::Catalog;

/// How often expired holds are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// Most holds that one transaction ends.
const BATCH: u16 = 50;

/// Releases the units of expired holds.
pub(crate) fn expire_holds(catalog: Catalog) -> Worker {
    Worker::new("expire holds", INTERVAL, move || {
        let catalog = catalog.clone();
        async move { catalog.expire(BATCH.into()).await.map(|expired| Progress::of_batch(expired, BATCH.into())) }
    })
}
