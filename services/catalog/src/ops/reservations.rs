//! Orders' claims on stock: read, take, let go. Each is keyed by the order and may come any number of times, in any order.
//!
//! Locks, here and in the siblings of this module: first the reservation, then its stock in the order of the variants' ids; the reservation's
//! row is changed only when the stock is locked. So nobody who waits for a reservation holds stock, but for one: an order's
//! first reserve locks stock, and then inserts the row. It waits there only for somebody who has inserted or changed that row,
//! and who thus has all the locks that he needs. The sweep of expired holds, which locks many reservations, waits for none of them.

use kontor_failpoints::{At, pass};
use kontor_postgres::retry;
use kontor_types::ids::OrderId;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::{Catalog, Error};
use crate::domain::inventory::{Line, MovementReason};
use crate::domain::reservation::{Ending, Reservation, ReservationState, Verdict, confirming, releasing};
use crate::events;
use crate::store;
use crate::store::stock::Change;

const CONFIRM: &str = "catalog.confirm";
const RELEASE: &str = "catalog.release";

impl Catalog {
    /// An order's claim on stock, as it stands.
    pub async fn get_reservation(&self, order: OrderId) -> Result<Reservation, Error> {
        let mut conn = self.pool.acquire().await?;
        store::reservations::find(&mut conn, order).await?.ok_or(Error::NoReservation(order))
    }

    /// Takes the units that an order holds.
    pub async fn confirm(&self, order: OrderId) -> Result<Reservation, Error> {
        pass(CONFIRM, At::Before).await;
        let reservation = retry("confirm", || self.confirm_once(order)).await?;
        pass(CONFIRM, At::After).await;
        Ok(reservation)
    }

    async fn confirm_once(&self, order: OrderId) -> Result<Reservation, Error> {
        let mut tx = self.pool.begin().await?;
        let found = store::reservations::lock(&mut tx, order).await?.ok_or(Error::NoReservation(order))?;
        if confirming(found.state)? == Ending::Already {
            return Ok(found);
        }
        change_stock(&mut tx, &found.lines, Change::Take).await?;
        let sold = deltas(&found.lines, -1);
        store::movements::insert(&mut tx, &sold, MovementReason::Sold, &order.to_string()).await?;
        let ended = store::reservations::set_state(&mut tx, order, ReservationState::Confirmed).await?;
        self.commit(tx, CONFIRM, &ended).await?;
        Ok(ended)
    }

    /// Lets the units of an order go, and makes sure that no later call holds any.
    pub async fn release(&self, order: OrderId) -> Result<Reservation, Error> {
        pass(RELEASE, At::Before).await;
        let reservation = retry("release", || self.release_once(order)).await?;
        pass(RELEASE, At::After).await;
        Ok(reservation)
    }

    async fn release_once(&self, order: OrderId) -> Result<Reservation, Error> {
        let mut tx = self.pool.begin().await?;
        let nothing = Verdict { state: ReservationState::Released, shortages: Vec::new() };
        if let Some(tombstone) = store::reservations::insert(&mut tx, order, &[], &nothing, self.hold).await? {
            self.commit(tx, RELEASE, &tombstone).await?;
            return Ok(tombstone);
        }
        let found = store::reservations::lock(&mut tx, order).await?.ok_or(Error::NoReservation(order))?;
        if releasing(found.state)? == Ending::Already {
            return Ok(found);
        }
        change_stock(&mut tx, found.held(), Change::Release).await?;
        let ended = store::reservations::set_state(&mut tx, order, ReservationState::Released).await?;
        self.commit(tx, RELEASE, &ended).await?;
        Ok(ended)
    }

    /// Commits what was made of a reservation, with the event that tells of it.
    pub(super) async fn commit(
        &self,
        tx: Transaction<'_, Postgres>,
        step: &'static str,
        changed: &Reservation,
    ) -> Result<(), Error> {
        self.commit_all(tx, step, std::slice::from_ref(changed)).await
    }

    /// Like [`Catalog::commit`], for many reservations.
    pub(super) async fn commit_all(
        &self,
        mut tx: Transaction<'_, Postgres>,
        step: &'static str,
        changed: &[Reservation],
    ) -> Result<(), Error> {
        for reservation in changed {
            events::append_reservation(&mut tx, reservation).await?;
        }
        pass(step, At::Inside).await;
        Ok(tx.commit().await?)
    }
}

/// Locks stock, in the order that everyone locks in, and changes it.
pub(super) async fn change_stock(tx: &mut PgConnection, lines: &[Line], change: Change) -> Result<(), Error> {
    let ids: Vec<_> = lines.iter().map(|line| line.variant.id).collect();
    store::stock::lock(tx, &ids).await?;
    Ok(store::stock::change(tx, lines, change).await?)
}

/// What the ledger is told of lines whose units come (1) or go (-1).
pub(super) fn deltas(lines: &[Line], sign: i64) -> Vec<(Uuid, i64)> {
    lines.iter().map(|line| (line.variant.id, sign * i64::from(line.quantity))).collect()
}
