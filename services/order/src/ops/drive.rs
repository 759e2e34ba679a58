//! Driving an order to its end, step by step. [`saga`] says which step comes next; here it is done.

use std::time::Duration;

use super::{Error, Orders};
use crate::domain::order::Order;
use crate::domain::saga::{self, Answer, Next, Step};
use crate::store;
use crate::store::sagas::Claim;

/// The pause before a step is tried again: doubled each time, up to the longest, and then drawn from its upper half.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After so many tries in a row somebody should look, and the order waits for a while.
const TRIES_MAX: u32 = 10;
/// How long it waits then, and while a person at the provider decides.
const LATER: Duration = Duration::from_secs(10);

impl Orders {
    /// Drives an order to its end, and returns it as it then stands. `None` if it was let go of before: because another
    /// process has it now, or because this one stops.
    pub(super) async fn drive(&self, order: Order, mut claim: Claim) -> Option<Order> {
        let mut step = saga::first(claim.rejection.as_ref());
        let mut tries = 0;
        while !self.stop.is_cancelled() {
            match self.go_on(&order, &mut claim, step.clone()).await {
                Ok(Progress::Ended(ended)) => return Some(*ended),
                Ok(Progress::Lost) => return None,
                Ok(Progress::To(next)) => (step, tries) = (next, 0),
                Ok(Progress::Again) => tries += 1,
                Ok(Progress::Later) => {
                    self.postpone(&claim, LATER).await;
                    return None;
                }
                Err(error) => {
                    tracing::warn!(order = %order.id, ?step, error = %chain(&error), "a step failed");
                    tries += 1;
                }
            }
            if tries >= TRIES_MAX {
                // Its place goes to an order that gets on; the worker comes back to this one.
                tracing::error!(order = %order.id, ?step, attempts = claim.attempts, "an order does not get on");
                self.postpone(&claim, LATER).await;
                return None;
            }
            if tries > 0 && !self.pause(&mut claim, tries).await {
                return None;
            }
        }
        self.let_go(&claim).await;
        None
    }

    /// Does one step and decides what follows.
    async fn go_on(&self, order: &Order, claim: &mut Claim, step: Step) -> Result<Progress, Error> {
        if let Step::Finish(end) = &step {
            let ended = self.finish(claim, end).await?;
            return Ok(ended.map_or(Progress::Lost, |order| Progress::Ended(Box::new(order))));
        }
        let answer = self.ask(order, claim, &step).await;
        let costs_money = order.snapshot.total.minor > 0;
        match saga::next(&step, answer, claim.rejection.as_ref(), costs_money) {
            Next::Go(next) => Ok(Progress::To(next)),
            Next::Again => Ok(Progress::Again),
            Next::Later => Ok(Progress::Later),
            Next::TurnBack(rejection) => {
                let mut conn = self.pool.acquire().await?;
                if !store::sagas::set_rejection(&mut conn, claim, &rejection).await? {
                    return Ok(Progress::Lost);
                }
                let next = saga::first(Some(&rejection));
                claim.rejection = Some(rejection);
                Ok(Progress::To(next))
            }
        }
    }

    /// The step's call. No transaction is open meanwhile.
    async fn ask(&self, order: &Order, claim: &Claim, step: &Step) -> Answer {
        let (id, total) = (order.id, order.snapshot.total);
        match step {
            Step::Reserve => self.catalog.reserve(id, &order.snapshot.lines).await,
            Step::Authorize => self.payments.authorize(id, total, &claim.payment_token).await,
            Step::Confirm => self.catalog.confirm(id).await,
            Step::Capture => self.payments.capture(id, total).await,
            Step::Void => self.payments.void(id).await,
            Step::Release => self.catalog.release(id).await,
            Step::Finish(_) => Answer::Unknown,
        }
    }

    /// Waits before the next try, with the lease renewed. False if the order went to another process.
    async fn pause(&self, claim: &mut Claim, tries: u32) -> bool {
        let renewed = async { store::sagas::renew(&mut *self.pool.acquire().await?, claim).await };
        match renewed.await {
            Ok(Some(attempts)) => claim.attempts = attempts,
            Ok(None) => return false,
            // The database is away; the lease may run out meanwhile, and then the epoch keeps us from writing.
            Err(error) => tracing::warn!(order = %claim.order, %error, "the lease was not renewed"),
        }
        let longest = FIRST_PAUSE.saturating_mul(1 << tries.min(10)).min(LONGEST_PAUSE);
        let pause = longest / 2 + rand::random_range(Duration::ZERO..=longest / 2);
        let _ = tokio::time::timeout(pause, self.stop.cancelled()).await;
        true
    }

    /// Leaves the order to whoever comes first, instead of letting them wait for the lease to run out.
    pub(super) async fn let_go(&self, claim: &Claim) {
        self.postpone(claim, Duration::ZERO).await;
    }

    /// Leaves the order to whoever comes first after a pause.
    async fn postpone(&self, claim: &Claim, pause: Duration) {
        let done = async { store::sagas::yield_lease(&mut *self.pool.acquire().await?, claim, pause).await };
        if let Err(error) = done.await {
            tracing::warn!(order = %claim.order, %error, "the lease runs on for a while");
        }
    }
}

/// Where a step has led.
enum Progress {
    To(Step),
    Again,
    Later,
    Ended(Box<Order>),
    Lost,
}

fn chain(error: &Error) -> String {
    kontor_runtime::fault::chain(error)
}
