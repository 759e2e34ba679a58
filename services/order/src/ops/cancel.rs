//! Calling an order off: the order changes hands, and whoever has it then drives it back.

use kontor_failpoints::{At, pass};
use kontor_postgres::idempotency::{Key, insert_or_replay};
use kontor_postgres::retry;
use kontor_types::ids::{OrderId, UserId};

use super::trip::{Trip, entry};
use super::{Error, Orders};
use crate::domain::history::Kind;
use crate::domain::order::{Order, State};
use crate::domain::saga::{Course, Reason};
use crate::store::{history, orders, sagas};

/// What is to be called off.
#[derive(Debug)]
pub struct CancelOrder {
    pub order: OrderId,
    /// Who calls; none for a guest.
    pub user: Option<UserId>,
    /// Whether the caller may call off others' orders too.
    pub any: bool,
    pub reason: String,
    pub key: Option<Key>,
}

impl Orders {
    /// Calls an order off, and waits a while for its end. The order comes back as it then stands.
    pub async fn cancel(&self, request: &CancelOrder) -> Result<Order, Error> {
        self.get_order(request.order, request.user, request.any).await?;
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        pass("order.cancel", At::Before).await;
        match retry("cancel", || self.cancel_once(request)).await? {
            Some(trip) => drop(self.spawn_drive(trip, turn)),
            None => drop(turn),
        }
        let order = self.wait_until(request.order, |order| order.state != State::Processing).await?;
        // Between the pivot and the completion, too, nothing can be called off.
        let is_called_off = order.state == State::Cancelled || order.cancellation.is_some();
        if is_called_off { Ok(order) } else { Err(Error::OrderState(order.state)) }
    }

    /// One transaction: the order changes hands, headed back, with its cancellation, history and event. None if it is headed back already.
    async fn cancel_once(&self, request: &CancelOrder) -> Result<Option<Trip>, Error> {
        let (mut tx, id) = (self.pool.begin().await?, request.order);
        let saga = sagas::lock(&mut tx, id).await?;
        if insert_or_replay(&mut tx, request.key.as_ref(), &id.0).await?.is_some() {
            return Ok(None);
        }
        let order = orders::find(&mut tx, id).await?.ok_or_else(|| Error::NotFound(id.to_string()))?;
        match (order.state, saga.map(|saga| saga.course)) {
            (State::Processing, Some(Course::Forward)) => {}
            (State::Cancelled, _) | (State::Processing, Some(Course::Back(_))) => {
                tx.commit().await?;
                return Ok(None);
            }
            (state, _) => return Err(Error::OrderState(state)),
        }
        let mut claim = sagas::take(&mut tx, id, &self.lease).await?;
        claim.course = Course::Back(Reason::Cancelled);
        sagas::steer(&mut tx, &claim, &claim.course).await?;
        let order = orders::set_cancellation(&mut tx, id, Some(&request.reason)).await?;
        let asked = entry(Kind::CancellationRequested, "", &request.reason);
        history::insert(&mut tx, id, (&self.lease.process, claim.epoch), &[asked]).await?;
        self.commit(tx, &order, "order.cancel").await?;
        Ok(Some(Trip::new(order, claim)))
    }
}
