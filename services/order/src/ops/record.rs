//! What the driver of an order writes down, one transaction each, and with it what happened since the last. Each is refused once the
//! order has gone to another process.

use std::time::Duration;

use kontor_failpoints::{At, pass};
use kontor_postgres::retry;
use sqlx::{PgConnection, PgTransaction};

use super::trip::{Trip, entry};
use super::{Error, Orders};
use crate::domain::history::{Entry, Kind};
use crate::domain::order::{Order, State};
use crate::domain::refund::RefundState;
use crate::domain::saga::{Course, End, Reason};
use crate::events;
use crate::metrics;
use crate::store::{carts, history, orders, refunds, sagas};

impl Orders {
    /// Renews the lease, with what happened meanwhile. False if the order went to another process.
    pub(super) async fn keep(&self, trip: &mut Trip) -> Result<bool, Error> {
        let began = tokio::time::Instant::now();
        let mut tx = self.pool.begin().await?;
        if !sagas::renew(&mut tx, &trip.claim, &self.lease).await? {
            return Ok(false);
        }
        self.record(&mut tx, trip, &[]).await?;
        tx.commit().await?;
        (trip.renewed, trip.notes) = (began, Vec::new());
        Ok(true)
    }

    /// Reads the order and its course again. False if the order went to another process.
    pub(super) async fn read_again(&self, trip: &mut Trip) -> Result<bool, Error> {
        let saga = sagas::lock(&mut *self.pool.acquire().await?, trip.order.id).await?;
        let Some(saga) = saga.filter(|saga| saga.epoch == trip.claim.epoch) else { return Ok(false) };
        (trip.order, trip.claim.course) = (self.find_order(trip.order.id).await?, saga.course);
        Ok(true)
    }

    /// Renews the lease in the middle of a step. While the database is away the step goes on: if the lease runs out meanwhile,
    /// the epoch keeps us from writing.
    pub(super) async fn renew(&self, trip: &Trip) -> bool {
        let renewed = async { sagas::renew(&mut *self.pool.acquire().await?, &trip.claim, &self.lease).await };
        renewed.await.unwrap_or_else(|error| {
            tracing::warn!(order = %trip.order.id, %error, "the lease was not renewed");
            true
        })
    }

    /// Leaves the order to whoever comes first after a pause. Returns none, as a drive that did not come to an end does.
    pub(super) async fn put_off(&self, trip: Trip, pause: Duration) -> Option<Order> {
        let done = async {
            let mut tx = self.pool.begin().await?;
            let ours = sagas::give_up(&mut tx, &trip.claim, pause).await?;
            if ours {
                self.record(&mut tx, &trip, &[]).await?;
                tx.commit().await?;
            }
            Ok::<_, sqlx::Error>(ours)
        };
        match done.await {
            Ok(true) => cry_out(&trip),
            Ok(false) => {}
            Err(error) => tracing::warn!(order = %trip.order.id, %error, "the lease runs on for a while"),
        }
        None
    }

    /// Writes down where the purchase is headed. False if the order went to another process.
    pub(super) async fn steer(&self, trip: &mut Trip, course: Course) -> Result<bool, Error> {
        let steered = retry("steer", || self.steer_once(trip, &course)).await?;
        let Some(order) = steered else { return Ok(false) };
        (trip.order, trip.claim.course) = (order, course);
        (trip.step, trip.tries, trip.fresh, trip.notes) = (None, 0, false, Vec::new());
        Ok(true)
    }

    async fn steer_once(&self, trip: &Trip, course: &Course) -> Result<Option<Order>, Error> {
        let mut tx = self.pool.begin().await?;
        if !sagas::steer(&mut tx, &trip.claim, course).await? {
            return Ok(None);
        }
        self.record(&mut tx, trip, &[turn(course)]).await?;
        if *course == Course::Committed && trip.order.cancellation.is_some() {
            let order = orders::set_cancellation(&mut tx, trip.order.id, None).await?;
            self.commit(tx, &order, "order.steer").await?;
            return Ok(Some(order));
        }
        tx.commit().await?;
        Ok(Some(trip.order.clone()))
    }

    /// Writes a task's end down. False, and nothing written, if the order went to another process.
    pub(super) async fn finish(&self, trip: &mut Trip, end: &End) -> Result<bool, Error> {
        pass("order.finish", At::Before).await;
        let ended = match end {
            End::Completed => retry("complete", || self.end_purchase_once(trip, None)).await?,
            End::Nothing(reason) => retry("end in nothing", || self.end_purchase_once(trip, Some(reason))).await?,
            End::Refunded => retry("refund", || self.end_refund_once(trip, RefundState::Succeeded, "")).await?,
            End::RefundRefused(why) => {
                retry("fail a refund", || self.end_refund_once(trip, RefundState::Failed, why)).await?
            }
        };
        let Some(order) = ended else { return Ok(false) };
        if matches!(end, End::Completed | End::Nothing(_)) {
            metrics::order_ended(order.state);
        }
        (trip.order, trip.step, trip.tries, trip.notes) = (order, None, 0, Vec::new());
        Ok(true)
    }

    /// The saga's rest, the order's state, its history and event, and an open cart if it came to nothing.
    async fn end_purchase_once(&self, trip: &Trip, nothing: Option<&Reason>) -> Result<Option<Order>, Error> {
        let (mut tx, id) = (self.pool.begin().await?, trip.order.id);
        if !sagas::rest(&mut tx, &trip.claim).await? {
            return Ok(None);
        }
        let order = match nothing {
            None => orders::set_completed(&mut tx, id).await?,
            Some(Reason::Rejected(rejection)) => orders::set_rejected(&mut tx, id, rejection).await?,
            Some(Reason::Cancelled) => orders::set_cancelled(&mut tx, id).await?,
        };
        if order.state != State::Completed {
            carts::set_order(&mut tx, &order.snapshot.cart, None).await?;
        }
        self.record(&mut tx, trip, &[entry(Kind::Ended, order.state.word(), "")]).await?;
        self.commit(tx, &order, "order.finish").await?;
        Ok(Some(order))
    }

    /// The refund's state, what the order was refunded, its history and event; and the saga's rest, unless another refund waits.
    async fn end_refund_once(&self, trip: &Trip, state: RefundState, why: &str) -> Result<Option<Order>, Error> {
        let Some(refund) = trip.refund() else { return Ok(Some(trip.order.clone())) };
        let mut tx = self.pool.begin().await?;
        if !sagas::hold(&mut tx, &trip.claim).await? {
            return Ok(None);
        }
        refunds::end(&mut tx, refund.id, state, why).await?;
        let given = if state == RefundState::Succeeded { refund.amount.minor } else { 0 };
        let order = orders::add_refunded(&mut tx, trip.order.id, given).await?;
        let refunds = refunds::list(&mut tx, order.id, order.captured.currency).await?;
        if refunds.iter().all(|refund| refund.state != RefundState::Pending) {
            sagas::rest(&mut tx, &trip.claim).await?;
        }
        let ended = Entry { refund: Some(refund.id), ..entry(Kind::Ended, state.word(), why) };
        self.record(&mut tx, trip, &[ended]).await?;
        let order = Order { refunds, ..order };
        self.commit(tx, &order, "order.finish").await?;
        Ok(Some(order))
    }

    /// Adds what happened to the order's history.
    async fn record(&self, conn: &mut PgConnection, trip: &Trip, last: &[Entry]) -> Result<(), sqlx::Error> {
        let who = (self.lease.process.as_str(), trip.claim.epoch);
        history::insert(conn, trip.order.id, who, &[&trip.notes, last].concat()).await
    }

    /// Commits a change of an order, and its event with it.
    pub(super) async fn commit(
        &self,
        mut tx: PgTransaction<'_>,
        order: &Order,
        failpoint: &'static str,
    ) -> Result<(), Error> {
        events::append_order(&mut tx, order).await?;
        pass(failpoint, At::Inside).await;
        tx.commit().await?;
        pass(failpoint, At::After).await;
        Ok(())
    }
}

/// Tells whoever reads the log what somebody should look at. Who lost the order has no say: what he met with may be another's doing.
fn cry_out(trip: &Trip) {
    let (order, attempts, step) = (trip.order.id, trip.claim.attempts, &trip.step);
    for note in trip.notes.iter().filter(|note| note.kind == Kind::Alerted) {
        tracing::error!(%order, ?step, attempts, how = note.message, "an order needs somebody to look at it");
    }
}

fn turn(course: &Course) -> Entry {
    match course {
        Course::Back(Reason::Cancelled) => entry(Kind::TurnedBack, "CANCELLED", "it was called off"),
        Course::Back(Reason::Rejected(rejection)) => entry(Kind::TurnedBack, "REJECTED", &rejection.to_string()),
        Course::Forward | Course::Committed => entry(Kind::WentForward, "", "the units are taken already"),
    }
}
