//! Reading orders and what happened to them.

use kontor_types::ids::{OrderId, UserId};
use kontor_types::{Page, PageSize, PageToken};
use tokio::time::Instant;
use uuid::Uuid;

use super::trip::entry;
use super::{Error, FIRST_LOOK, LONGEST_LOOK, Orders};
use crate::domain::history::{Entry, Kind, Recorded};
use crate::domain::order::{Order, State};
use crate::metrics;
use crate::store;

impl Orders {
    /// One order, if the caller may see it: its buyer, who may read all orders, or, if a guest bought, whoever knows its id.
    pub async fn get_order(&self, id: OrderId, user: Option<UserId>, may_read_all: bool) -> Result<Order, Error> {
        let order = self.find_order(id).await?;
        if may_read_all || order.belongs_to(user) { Ok(order) } else { Err(Error::NotFound(id.to_string())) }
    }

    pub(super) async fn find_order(&self, id: OrderId) -> Result<Order, Error> {
        let mut conn = self.pool.acquire().await?;
        let found = store::orders::find(&mut conn, id).await?;
        let mut order = found.ok_or_else(|| Error::NotFound(id.to_string()))?;
        if order.state == State::Completed {
            order.refunds = store::refunds::list(&mut conn, id, order.captured.currency).await?;
        }
        Ok(order)
    }

    /// The order, once the condition holds or the caller has waited long enough.
    pub(super) async fn wait_until(&self, id: OrderId, holds: impl Fn(&Order) -> bool) -> Result<Order, Error> {
        let (until, mut pause) = (Instant::now() + self.answer_wait, FIRST_LOOK);
        loop {
            let order = self.find_order(id).await?;
            if holds(&order) || Instant::now() >= until {
                return Ok(order);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    /// Counts the sagas that are not finished, for metrics.
    pub async fn count_sagas(&self) -> Result<(), Error> {
        let counts = store::saga_counts::count_unfinished(&mut *self.pool.acquire().await?).await?;
        metrics::sagas_counted(&counts);
        Ok(())
    }

    /// A page of what happened to an order.
    pub async fn history(
        &self,
        id: OrderId,
        after: Option<PageToken>,
        size: PageSize,
    ) -> Result<Page<Recorded>, Error> {
        let order = self.find_order(id).await?;
        let mut conn = self.pool.acquire().await?;
        let mut entries = store::history::list(&mut conn, id, after.map(|token| token.after), size.get() + 1).await?;
        if after.is_none() {
            entries.insert(0, accepted(&order));
        }
        Ok(Page::cut(entries, size, |last| PageToken { after: last.entry.id }))
    }
}

/// The order's own row tells of its acceptance, so that no other row has to. It comes before all others.
fn accepted(order: &Order) -> Recorded {
    let entry = Entry { id: Uuid::nil(), time: order.create_time, ..entry(Kind::Accepted, "PROCESSING", "") };
    Recorded { entry, process: String::new(), epoch: 1 }
}
