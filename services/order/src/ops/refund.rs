//! Giving money back: what is answered is durable, and the refund goes on without the caller.

use kontor_failpoints::{At, pass};
use kontor_postgres::idempotency::{Key, insert_or_replay};
use kontor_postgres::retry;
use kontor_types::Money;
use kontor_types::ids::{OrderId, RefundId};
use sqlx::PgConnection;

use super::trip::{Trip, entry};
use super::{Error, Orders};
use crate::domain::history::{Entry, Kind};
use crate::domain::order::Order;
use crate::domain::refund::{self, RefundState, RestockLine};
use crate::store::{history, orders, refunds, sagas};

/// What is to be given back.
#[derive(Debug)]
pub struct RefundOrder {
    pub order: OrderId,
    /// How much; none for all that is left.
    pub amount: Option<Money>,
    /// Units that go back into stock.
    pub restock: Vec<RestockLine>,
    pub reason: String,
    pub key: Key,
}

enum Asked {
    /// A refund that waits for its turn with whoever drives the order, or that was asked for before.
    Waiting(RefundId),
    /// A refund for this process to give.
    Ours(RefundId, Box<Trip>),
}

impl Orders {
    /// Gives money back, and waits a while for the refund's end. The order comes back as it then stands.
    pub async fn refund(&self, request: &RefundOrder) -> Result<Order, Error> {
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        pass("order.ask_refund", At::Before).await;
        let id = match retry("ask for a refund", || self.refund_once(request)).await? {
            Asked::Waiting(id) => {
                drop(turn);
                id
            }
            Asked::Ours(id, trip) => {
                self.spawn_drive(*trip, turn);
                id
            }
        };
        let is_over = |order: &Order| order.refunds.iter().any(|r| r.id == id && r.state != RefundState::Pending);
        self.wait_until(request.order, is_over).await
    }

    /// One transaction: the refund, the order's history and event, and the order in our hands if nobody has it.
    async fn refund_once(&self, request: &RefundOrder) -> Result<Asked, Error> {
        let (mut tx, order) = (self.pool.begin().await?, request.order);
        sagas::insert_missing(&mut tx, order).await?;
        let saga = sagas::lock(&mut tx, order).await?.ok_or_else(|| Error::NotFound(order.to_string()))?;
        let id = RefundId::generate();
        if let Some(first) = insert_or_replay(&mut tx, Some(&request.key), &id.0).await? {
            return Ok(Asked::Waiting(RefundId(first)));
        }
        let order = insert(&mut tx, id, request).await?;
        let claim = if saga.at_rest { Some(sagas::take(&mut tx, order.id, &self.lease).await?) } else { None };
        let epoch = claim.as_ref().map_or(saga.epoch, |claim| claim.epoch);
        let asked = Entry { refund: Some(id), ..entry(Kind::RefundRequested, "", &request.reason) };
        history::insert(&mut tx, order.id, (&self.lease.process, epoch), &[asked]).await?;
        self.commit(tx, &order, "order.ask_refund").await?;
        Ok(match claim {
            Some(claim) => Asked::Ours(id, Box::new(Trip::new(order, claim))),
            None => Asked::Waiting(id),
        })
    }
}

/// Adds the refund, if the order allows it. The saga is locked, so that refunds come one after the other.
async fn insert(conn: &mut PgConnection, id: RefundId, request: &RefundOrder) -> Result<Order, Error> {
    let found = orders::find(conn, request.order).await?;
    let mut order = found.ok_or_else(|| Error::NotFound(request.order.to_string()))?;
    order.refunds = refunds::list(conn, order.id, order.captured.currency).await?;
    let amount = refund::admit(&order, request.amount, &request.restock)?;
    refunds::insert(conn, id, order.id, amount, (&request.restock, &request.reason)).await?;
    let changed = orders::touch(conn, order.id).await?;
    Ok(Order { refunds: refunds::list(conn, order.id, amount.currency).await?, ..changed })
}
