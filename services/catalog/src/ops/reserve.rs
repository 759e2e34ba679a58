//! Holding units for orders: all lines of one, or none.

use kontor_failpoints::{At, pass};
use kontor_postgres::retry;
use kontor_types::ids::OrderId;
use sqlx::{PgConnection, PgTransaction};

use super::{Catalog, Error};
use crate::domain::inventory::{Line, shortages};
use crate::domain::reservation::{Again, Reservation, ReservationState, Verdict, re_reserving};
use crate::metrics;
use crate::store;
use crate::store::stock::Change;

const STEP: &str = "catalog.reserve";

impl Catalog {
    /// Holds all lines for an order, or none. The first answer stands, but for a hold that has expired.
    pub async fn reserve(&self, order: OrderId, lines: &[Line]) -> Result<Reservation, Error> {
        pass(STEP, At::Before).await;
        let reservation = retry("reserve", || self.reserve_once(order, lines)).await?;
        pass(STEP, At::After).await;
        Ok(reservation)
    }

    async fn reserve_once(&self, order: OrderId, lines: &[Line]) -> Result<Reservation, Error> {
        let mut tx = self.pool.begin().await?;
        let verdict = decide(&mut tx, lines).await?;
        let inserted = store::reservations::insert(&mut tx, order, lines, &verdict, self.hold).await?;
        let Some(reservation) = inserted else {
            tx.rollback().await?;
            return self.reserve_again(order, lines).await;
        };
        store::stock::change(&mut tx, reservation.held(), Change::Hold).await?;
        self.commit_decision(tx, reservation).await
    }

    /// The order has asked before, or let go before it asked.
    async fn reserve_again(&self, order: OrderId, lines: &[Line]) -> Result<Reservation, Error> {
        let mut tx = self.pool.begin().await?;
        let found = store::reservations::lock(&mut tx, order).await?.ok_or(Error::NoReservation(order))?;
        match re_reserving(&found, lines)? {
            Again::TooLate => {
                tracing::info!(%order, "a late reserve was refused");
                return Ok(found);
            }
            Again::Stands => {
                tracing::info!(%order, "a reserve was repeated");
                return Ok(found);
            }
            Again::Renew => {
                let renewed = store::reservations::renew(&mut tx, order, self.hold).await?;
                tx.commit().await?;
                tracing::info!(%order, "a reserve was repeated");
                return Ok(renewed.unwrap_or(found));
            }
            Again::TakeUp => {}
        }
        let verdict = decide(&mut tx, lines).await?;
        let reservation = store::reservations::set_verdict(&mut tx, order, &verdict, self.hold).await?;
        store::stock::change(&mut tx, reservation.held(), Change::Hold).await?;
        self.commit_decision(tx, reservation).await
    }

    async fn commit_decision(&self, tx: PgTransaction<'_>, decided: Reservation) -> Result<Reservation, Error> {
        self.commit(tx, STEP, &decided).await?;
        if decided.state == ReservationState::Refused {
            metrics::stock_conflict();
        }
        Ok(decided)
    }
}

/// Locks the stock of the lines, and tells whether there is enough of it.
async fn decide(tx: &mut PgConnection, lines: &[Line]) -> Result<Verdict, Error> {
    let ids: Vec<_> = lines.iter().map(|line| line.variant.id).collect();
    let stock = store::stock::lock(tx, &ids).await?;
    Ok(Verdict::by(shortages(lines, &stock)))
}
