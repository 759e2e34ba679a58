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

use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::peers::{Catalog, Payments};

/// Most orders that one process drives at once. Beyond that it accepts no more, rather than piling them up.
const DRIVEN_MAX: usize = 1024;

/// The operations on carts and orders, over their database and peers.
#[derive(Clone)]
pub struct Orders {
    pool: PgPool,
    catalog: Catalog,
    payments: Payments,
    turns: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Orders {
    /// Over a pool that was migrated, and peers. After `stop`, orders are let go of between two steps.
    pub fn new(pool: PgPool, catalog: Catalog, payments: Payments, stop: CancellationToken) -> Self {
        Self { pool, catalog, payments, turns: Arc::new(Semaphore::new(DRIVEN_MAX)), stop }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::Connection::ping(&mut *self.pool.acquire().await?).await?;
        Ok(())
    }
}
