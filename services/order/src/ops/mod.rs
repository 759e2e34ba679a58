//! The operations on carts and orders: one function for each use case, which owns its transaction.

mod cancel;
mod carts;
mod drive;
mod error;
mod place;
mod read;
mod reclaim;
mod record;
mod refund;
mod trip;

pub use cancel::CancelOrder;
pub use carts::{ContactChange, ItemChange, NewCart};
pub use error::Error;
pub use place::PlaceOrder;
pub use reclaim::RECLAIMED_MAX;
pub use refund::RefundOrder;

use std::sync::Arc;
use std::time::Duration;

use kontor_postgres::Pool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::domain::order::Order;
use crate::peers::{Catalog, Payments};
use crate::store::sagas::Lease;
use trip::Trip;

/// Most orders that one process drives at once. Beyond that it accepts no more, rather than piling them up.
const DRIVEN_MAX: usize = 1024;
/// How long the step that is under way may take before the process ends without it.
const DRAIN_MAX: Duration = Duration::from_secs(6);
/// How soon an order that somebody else drives is looked at meanwhile; then half as often each time, down to the longest pause.
const FIRST_LOOK: Duration = Duration::from_millis(25);
const LONGEST_LOOK: Duration = Duration::from_millis(400);

/// How this process drives orders.
#[derive(Clone, Debug)]
pub struct Settings {
    pub process: String,
    /// How long it may drive an order without renewing its lease.
    pub lease: Duration,
    /// How long an order may take to be settled.
    pub order_time_max: Duration,
    /// How long a call waits for the end of what it began, before it answers with the order as it stands.
    pub answer_wait: Duration,
}

/// The operations on carts and orders, over their database and peers.
#[derive(Clone)]
pub struct Orders {
    pool: Pool,
    catalog: Catalog,
    payments: Payments,
    lease: Arc<Lease>,
    order_time_max: Duration,
    answer_wait: Duration,
    turns: Arc<Semaphore>,
    driving: TaskTracker,
    stop: CancellationToken,
}

impl Orders {
    /// Over a pool that was migrated, and peers. After `stop`, orders are let go of between two steps.
    pub fn new(pool: Pool, catalog: Catalog, payments: Payments, settings: Settings, stop: CancellationToken) -> Self {
        let (turns, driving) = (Arc::new(Semaphore::new(DRIVEN_MAX)), TaskTracker::new());
        let Settings { process, lease, order_time_max, answer_wait } = settings;
        let lease = Arc::new(Lease { process, length: lease });
        Self { pool, catalog, payments, lease, order_time_max, answer_wait, turns, driving, stop }
    }

    /// Drives an order in a task of its own: a caller's deadline must not end it.
    fn spawn_drive(&self, trip: Trip, turn: OwnedSemaphorePermit) -> JoinHandle<Option<Order>> {
        let orders = self.clone();
        let driving = async move {
            let _turn = turn;
            orders.drive(trip).await
        };
        self.driving.spawn(driving.in_current_span())
    }

    /// After `stop`: waits until the driving tasks have released their orders, for as long as a step may take.
    pub async fn drain(&self) {
        self.driving.close();
        if tokio::time::timeout(DRAIN_MAX, self.driving.wait()).await.is_err() {
            tracing::warn!(count = self.driving.len(), "orders left in the middle of a step, leases will expire");
        }
    }
}

fn chain(error: &Error) -> String {
    kontor_runtime::fault::chain(error)
}
