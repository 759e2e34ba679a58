//! Holds that nobody ended in time.

use kontor_failpoints::{At, pass};
use kontor_postgres::retry;

use super::reservations::change_stock;
use super::{Catalog, Error};
use crate::domain::reservation::{Reservation, together};
use crate::store;
use crate::store::stock::Change;

const STEP: &str = "catalog.expire";

impl Catalog {
    /// Lets the units of expired holds go, of so many holds at most. Returns of how many.
    pub async fn expire(&self, limit: i64) -> Result<usize, Error> {
        pass(STEP, At::Before).await;
        let expired = retry("expire", || self.expire_once(limit)).await?;
        for reservation in &expired {
            tracing::info!(order = %reservation.order, "a hold has expired");
        }
        pass(STEP, At::After).await;
        Ok(expired.len())
    }

    async fn expire_once(&self, limit: i64) -> Result<Vec<Reservation>, Error> {
        let mut tx = self.pool.begin().await?;
        let due = store::reservations::lock_expired(&mut tx, limit).await?;
        if due.is_empty() {
            return Ok(due);
        }
        let lines = together(due.iter().flat_map(|reservation| &reservation.lines));
        change_stock(&mut tx, &lines, Change::Release).await?;
        let orders: Vec<_> = due.iter().map(|reservation| reservation.order.0).collect();
        let expired = store::reservations::set_expired(&mut tx, &orders).await?;
        self.commit_all(tx, STEP, &expired).await?;
        Ok(expired)
    }
}
