//! The operations of the catalog: one function for each use case, which owns its transaction.

mod error;
mod import;
mod inventory;
mod products;
mod reservations;

pub use error::Error;
pub use import::{ImportReport, ImportSettings};
pub use inventory::AdjustStock;
pub use products::Page;

use sqlx::PgPool;

/// The catalog's operations, over its database.
#[derive(Clone)]
pub struct Catalog {
    pool: PgPool,
}

impl Catalog {
    /// Over a pool that was migrated.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::Connection::ping(&mut *self.pool.acquire().await?).await?;
        Ok(())
    }
}
