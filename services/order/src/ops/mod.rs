//! The operations on carts and orders: one function for each use case, which owns its transaction.

mod carts;
mod drive;
mod end;
mod error;
mod place;
mod read;

pub use carts::{ContactChange, NewCart};
pub use error::Error;
pub use place::PlaceOrder;

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::peers::{Catalog, Payments};

/// Most orders that one process drives at once. Beyond that it accepts no more, rather than piling them up.
const DRIVEN_MAX: usize = 1024;

/// How long the step that is under way may take before the process ends without it.
const LET_GO_MAX: Duration = Duration::from_secs(6);

/// The operations on carts and orders, over their database and peers.
#[derive(Clone)]
pub struct Orders {
    pool: PgPool,
    catalog: Catalog,
    payments: Payments,
    turns: Arc<Semaphore>,
    /// The tasks that drive orders.
    driving: TaskTracker,
    stop: CancellationToken,
}

impl Orders {
    /// Over a pool that was migrated, and peers. After `stop`, orders are let go of between two steps.
    pub fn new(pool: PgPool, catalog: Catalog, payments: Payments, stop: CancellationToken) -> Self {
        let (turns, driving) = (Arc::new(Semaphore::new(DRIVEN_MAX)), TaskTracker::new());
        Self { pool, catalog, payments, turns, driving, stop }
    }

    /// After `stop`: waits until all orders have been let go of, for as long as a step may take.
    pub async fn let_go_of_all(&self) {
        self.driving.close();
        if tokio::time::timeout(LET_GO_MAX, self.driving.wait()).await.is_err() {
            tracing::warn!(
                count = self.driving.len(),
                "orders were left in the middle of a step; their leases run out"
            );
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::Connection::ping(&mut *self.pool.acquire().await?).await?;
        Ok(())
    }
}
