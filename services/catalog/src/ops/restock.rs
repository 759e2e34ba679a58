//! Units that come back after they were sold.

use kontor_failpoints::{At, pass};
use kontor_postgres::idempotency::{Key, insert, replay};
use kontor_postgres::{StoreError, retry};
use kontor_types::ids::OrderId;

use super::reservations::{change_stock, deltas};
use super::{Catalog, Error};
use crate::domain::inventory::{Line, MovementReason};
use crate::domain::reservation::{Reservation, returning};
use crate::store;
use crate::store::stock::Change;

const STEP: &str = "catalog.return";

/// Units that a refund puts back into stock.
#[derive(Clone, Debug)]
pub struct ReturnStock {
    pub order: OrderId,
    pub refund: String,
    /// Variants and quantities; each variant once.
    pub lines: Vec<Line>,
    /// By what a repetition is recognised: the refund. It must be kept for as long as units may come back.
    pub key: Key,
}

impl Catalog {
    /// Puts units that an order took back into stock, once for each refund.
    pub async fn return_stock(&self, back: &ReturnStock) -> Result<Reservation, Error> {
        pass(STEP, At::Before).await;
        let reservation = retry("return_stock", || self.return_once(back)).await?;
        pass(STEP, At::After).await;
        Ok(reservation)
    }

    async fn return_once(&self, back: &ReturnStock) -> Result<Reservation, Error> {
        let ReturnStock { order, refund, lines, key } = back;
        let mut tx = self.pool.begin().await?;
        let found = store::reservations::lock(&mut tx, *order).await?.ok_or(Error::NoReservation(*order))?;
        if replay::<()>(&mut tx, Some(key)).await?.is_some() {
            return Ok(found);
        }
        let returned = returning(&found, lines)?;
        change_stock(&mut tx, lines, Change::Return).await?;
        store::movements::insert(&mut tx, &deltas(lines, 1), MovementReason::Returned, refund).await?;
        let reservation = store::reservations::set_returned(&mut tx, *order, &returned).await?;
        // The same refund would have waited for the reservation, so this is another order's refund with the same id.
        if !insert(&mut tx, Some(key), &()).await? {
            return Err(StoreError::KeyReused.into());
        }
        self.commit(tx, STEP, &reservation).await?;
        Ok(reservation)
    }
}
