//! The operations of the catalog: one function for each use case, which owns its transaction.

mod error;
mod expire;
mod import;
mod inventory;
mod products;
mod reservations;
mod reserve;
mod restock;

pub use error::Error;
pub use import::{ImportSettings, IsLetIn};
pub use inventory::AdjustStock;
pub use restock::ReturnStock;

use std::time::Duration;

use kontor_postgres::Pool;

/// The catalog's operations, over its database.
#[derive(Clone)]
pub struct Catalog {
    pool: Pool,
    /// How long units are sure to be held.
    hold: Duration,
}

impl Catalog {
    /// Over a pool that was migrated; units are held for orders as long as `hold`.
    pub fn new(pool: Pool, hold: Duration) -> Self {
        Self { pool, hold }
    }
}
