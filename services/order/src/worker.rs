//! Looks for orders that nobody drives any more.

use std::time::Duration;

use kontor_postgres::in_time;
use tokio_util::sync::CancellationToken;

use crate::ops::{Orders, TAKEN_OVER_MAX};

/// How often to look.
const EVERY: Duration = Duration::from_secs(1);

/// Takes over abandoned orders until `stop`.
pub async fn run(orders: Orders, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match in_time(orders.take_over()).await {
            // Perhaps there are more.
            Ok(TAKEN_OVER_MAX..) => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %kontor_runtime::fault::chain(&error), "could not look for orders"),
        }
        let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
    }
}
