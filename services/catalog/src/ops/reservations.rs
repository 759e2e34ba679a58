//! Orders' claims on stock: hold, take, let go. Each is keyed by the order and may come any number of times, in any order.

use kontor_postgres::retry;
use kontor_types::ids::OrderId;
use sqlx::PgConnection;

use super::{Catalog, Error};
use crate::domain::inventory::{
    Ending, Line, MovementReason, Reservation, ReservationState, confirming, releasing, shortages,
};
use crate::events;
use crate::store;
use crate::store::stock::Change;

/// A reservation's first event; its end is the second.
const FIRST: i64 = 1;

impl Catalog {
    /// Holds all lines for an order, or none. The first answer stands.
    pub async fn reserve(&self, order: OrderId, lines: &[Line]) -> Result<Reservation, Error> {
        retry("reserve", || self.reserve_once(order, lines)).await
    }

    async fn reserve_once(&self, order: OrderId, lines: &[Line]) -> Result<Reservation, Error> {
        let mut tx = self.pool.begin().await?;
        let ids: Vec<_> = lines.iter().map(|line| line.variant.id).collect();
        let short = shortages(lines, &store::stock::lock(&mut tx, &ids).await?);
        let state = if short.is_empty() { ReservationState::Held } else { ReservationState::Refused };
        let inserted = store::reservations::insert(&mut tx, order, state, lines, &short).await?;
        let Some(reservation) = inserted else {
            tx.rollback().await?;
            return self.decided(order, lines).await;
        };
        if state == ReservationState::Held {
            store::stock::change(&mut tx, lines, Change::Hold).await?;
        }
        events::append_reservation(&mut tx, &reservation, FIRST).await?;
        tx.commit().await?;
        Ok(reservation)
    }

    /// Takes the units that an order holds.
    pub async fn confirm(&self, order: OrderId) -> Result<Reservation, Error> {
        retry("confirm", || self.confirm_once(order)).await
    }

    async fn confirm_once(&self, order: OrderId) -> Result<Reservation, Error> {
        let mut tx = self.pool.begin().await?;
        let found = store::reservations::lock(&mut tx, order).await?.ok_or(Error::NoReservation(order))?;
        match confirming(found.state) {
            Ending::Already => return Ok(found),
            Ending::Contradicts => return Err(Error::ReservationEnded(found.state)),
            Ending::Apply => {}
        }
        let deltas: Vec<_> = found.lines.iter().map(|line| (line.variant.id, -i64::from(line.quantity))).collect();
        store::movements::insert(&mut tx, &deltas, MovementReason::Sold, &order.to_string()).await?;
        let ended = end(&mut tx, &found, ReservationState::Confirmed, Change::Take).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Lets the units of an order go, and makes sure that no later call holds any.
    pub async fn release(&self, order: OrderId) -> Result<Reservation, Error> {
        retry("release", || self.release_once(order)).await
    }

    async fn release_once(&self, order: OrderId) -> Result<Reservation, Error> {
        let mut tx = self.pool.begin().await?;
        let tombstone = store::reservations::insert(&mut tx, order, ReservationState::Released, &[], &[]).await?;
        if let Some(tombstone) = tombstone {
            events::append_reservation(&mut tx, &tombstone, FIRST).await?;
            tx.commit().await?;
            return Ok(tombstone);
        }
        let found = store::reservations::lock(&mut tx, order).await?.ok_or(Error::NoReservation(order))?;
        match releasing(found.state) {
            Ending::Already => return Ok(found),
            Ending::Contradicts => return Err(Error::ReservationEnded(found.state)),
            Ending::Apply => {}
        }
        let ended = end(&mut tx, &found, ReservationState::Released, Change::Release).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// What was decided before, for the same lines or for none (a tombstone).
    async fn decided(&self, order: OrderId, lines: &[Line]) -> Result<Reservation, Error> {
        let mut conn = self.pool.acquire().await?;
        let found = store::reservations::find(&mut conn, order).await?.ok_or(Error::NoReservation(order))?;
        if !found.lines.is_empty() && found.lines != lines {
            return Err(Error::KeyReused);
        }
        Ok(found)
    }
}

/// Ends a locked reservation and changes its stock, locked in the order that everyone locks in.
async fn end(
    tx: &mut PgConnection,
    held: &Reservation,
    state: ReservationState,
    change: Change,
) -> Result<Reservation, Error> {
    let ids: Vec<_> = held.lines.iter().map(|line| line.variant.id).collect();
    store::stock::lock(tx, &ids).await?;
    store::stock::change(tx, &held.lines, change).await?;
    let ended = store::reservations::set_state(tx, held.order, state).await?;
    events::append_reservation(tx, &ended, FIRST + 1).await?;
    Ok(ended)
}
