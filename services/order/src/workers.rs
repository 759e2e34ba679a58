//! The background workers of the order service.

use std::time::Duration;

use kontor_runtime::{Progress, Worker};

use crate::ops::{Orders, RECLAIMED_MAX};

/// How often expired leases are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// How often sagas are counted.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// Counts unfinished sagas for metrics.
pub(crate) fn count_sagas(orders: Orders) -> Worker {
    Worker::new("count sagas", COUNT_INTERVAL, move || {
        let orders = orders.clone();
        async move { orders.count_sagas().await.map(|()| Progress::Idle) }
    })
}

/// Reclaims orders whose process let their lease expire, and drives them.
pub(crate) fn reclaim_orders(orders: Orders) -> Worker {
    Worker::new("reclaim orders", INTERVAL, move || {
        let orders = orders.clone();
        async move { orders.reclaim_expired().await.map(|count| Progress::of_batch(count, RECLAIMED_MAX)) }
    })
}
