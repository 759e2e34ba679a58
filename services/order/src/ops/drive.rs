//! Driving an order until there is nothing to do for it. [`saga`] says which step comes next; here it is done.

use std::ops::RangeInclusive;
use std::time::Duration;

use kontor_failpoints::{At, pass};
use kontor_postgres::with_timeout;
use kontor_types::{Clock, SystemClock};

use super::trip::Trip;
use super::{Error, Orders};
use crate::domain::history::Kind;
use crate::domain::order::{Order, Rejection};
use crate::domain::saga::{self, Answer, Course, Doubt, Next, Reason, Step, Task};
use crate::metrics;

/// The pause before a step is tried again: doubled each time, up to the longest, and then drawn from its upper half.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// After so many tries in a row somebody should look, and the order waits for a while.
const TRIES_MAX: u32 = 10;
/// How long it waits then, and while a person at the provider decides: a part of its age, between these.
const LATER: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(600);
const PART_OF_AGE: u32 = 20;

enum Progress {
    Moved,
    /// To another try, after a pause.
    Again,
    PutOff,
    /// To nothing: another process has the order.
    Lost,
}

impl Orders {
    /// Drives an order until nothing is to be done for it, and returns it as it then stands. `None` if it was let go of before: because
    /// another process has it now, because it has to wait, or because this process stops.
    pub(super) async fn drive(&self, mut trip: Trip) -> Option<Order> {
        while !self.stop.is_cancelled() {
            let Some(task) = trip.task() else { return Some(trip.order) };
            let progress = match with_timeout(self.go_on(&mut trip, &task)).await {
                Ok(progress) => progress,
                Err(error) => self.stumble(&mut trip, &error).await,
            };
            match progress {
                Progress::Moved => {}
                Progress::Again if trip.tries >= TRIES_MAX => return self.alert(trip, "it does not get on").await,
                Progress::Again => self.pause(trip.tries).await,
                Progress::PutOff => return self.put_off_for_long(trip).await,
                Progress::Lost => {
                    tracing::info!(order = %trip.order.id, epoch = trip.claim.epoch, "a fenced write was refused");
                    return None;
                }
            }
        }
        self.put_off(trip, Duration::ZERO).await
    }

    /// Does one step and decides what follows.
    async fn go_on(&self, trip: &mut Trip, task: &Task) -> Result<Progress, Error> {
        if trip.renewed.elapsed() >= self.lease.length / 3 && !self.keep(trip).await? {
            return Ok(Progress::Lost);
        }
        if let Some(course) = overdue(trip, task) {
            return self.steer(trip, course).await.map(moved_or_lost);
        }
        let step = trip.step.clone().unwrap_or_else(|| saga::first(task));
        if let Step::Finish(end) = &step {
            return self.finish(trip, end).await.map(moved_or_lost);
        }
        trip.fresh &= step != Step::Authorize;
        let Some(answer) = self.ask(trip, &step).await else { return Ok(Progress::Lost) };
        trip.note_attempt(&step, &answer);
        metrics::step_answered(&step, &answer);
        self.act(trip, &step, saga::next(task, &step, answer)).await
    }

    async fn act(&self, trip: &mut Trip, step: &Step, next: Next) -> Result<Progress, Error> {
        match next {
            Next::Go(next) => {
                // Knowing what became of a call is no progress yet: what follows may fail again and again.
                trip.tries = if matches!(step, Step::LookUp(_)) { trip.tries } else { 0 };
                trip.step = Some(next);
                Ok(Progress::Moved)
            }
            Next::Retry(next) => {
                trip.step = Some(next);
                (trip.tries, trip.claim.attempts) = (trip.tries + 1, trip.claim.attempts.saturating_add(1));
                Ok(Progress::Again)
            }
            Next::Steer(course) => self.steer(trip, course).await.map(moved_or_lost),
            Next::Wait => {
                trip.note(Kind::PutOff, "", "a person at the payment provider decides");
                Ok(Progress::PutOff)
            }
            Next::Alert(how) => {
                trip.note(Kind::Alerted, "", &how);
                Ok(Progress::PutOff)
            }
        }
    }

    /// The step's call, with the lease renewed meanwhile. No transaction is open. `None` if the order went to another process.
    async fn ask(&self, trip: &Trip, step: &Step) -> Option<Answer> {
        pass(failpoint(step), At::Before).await;
        let mut call = std::pin::pin!(self.call(trip, step));
        let answer = loop {
            match tokio::time::timeout(self.lease.length / 3, &mut call).await {
                Ok(answer) => break answer,
                Err(_) if self.renew(trip).await => {}
                Err(_) => return None,
            }
        };
        pass(failpoint(step), At::After).await;
        Some(answer)
    }

    async fn call(&self, trip: &Trip, step: &Step) -> Answer {
        let (order, paying) = (&trip.order, trip.paying());
        match step {
            Step::Reserve => self.catalog.reserve(order.id, &order.snapshot.lines).await,
            Step::Confirm => self.catalog.confirm(order.id).await,
            Step::Release => self.catalog.release(order.id).await,
            Step::Authorize => self.payments.authorize(paying, &trip.claim.payment_token).await,
            Step::Capture => self.payments.capture(paying).await,
            Step::Void => self.payments.void(paying).await,
            Step::LookUp(Doubt::Authorize | Doubt::Capture) => self.payments.look_up(paying).await,
            Step::LookUp(Doubt::Refund) | Step::Refund | Step::Restock => self.call_for_refund(trip, step).await,
            Step::Finish(_) => Answer::Contradiction("an end is nothing to ask for".into()),
        }
    }

    async fn call_for_refund(&self, trip: &Trip, step: &Step) -> Answer {
        let Some(refund) = trip.refund() else { return Answer::Contradiction("there is no such refund".into()) };
        match step {
            Step::Restock => self.catalog.take_back(&refund.name(trip.order.id), &refund.restock).await,
            Step::Refund => self.payments.refund(trip.paying(), refund).await,
            _ => self.payments.look_up_refund(trip.paying(), refund).await,
        }
    }

    /// After a failure of our own, most likely the database's: whether the last write was done is unknown, so the order is read again, and
    /// its way is walked from the beginning.
    async fn stumble(&self, trip: &mut Trip, error: &Error) -> Progress {
        tracing::warn!(order = %trip.order.id, step = ?trip.step, error = %super::chain(error), "a step failed");
        (trip.step, trip.tries) = (None, trip.tries + 1);
        match self.read_again(trip).await {
            Ok(true) => Progress::Again,
            Ok(false) => Progress::Lost,
            Err(error) => {
                tracing::warn!(order = %trip.order.id, error = %super::chain(&error), "it could not be read again");
                Progress::Again
            }
        }
    }

    async fn pause(&self, tries: u32) {
        let longest = FIRST_PAUSE.saturating_mul(1 << tries.min(10)).min(LONGEST_PAUSE).min(self.lease.length / 3);
        let pause = longest / 2 + rand::random_range(Duration::ZERO..=longest / 2);
        let _ = tokio::time::timeout(pause, self.stop.cancelled()).await;
    }

    /// Its place goes to an order that gets on; the worker comes back to this one.
    async fn alert(&self, mut trip: Trip, how: &str) -> Option<Order> {
        trip.note(Kind::Alerted, "", how);
        self.put_off_for_long(trip).await
    }

    /// The longer an order has waited already, the longer it waits.
    async fn put_off_for_long(&self, trip: Trip) -> Option<Order> {
        let age = (SystemClock.now() - trip.order.create_time).to_std().unwrap_or_default();
        self.put_off(trip, (age / PART_OF_AGE).clamp(*LATER.start(), *LATER.end())).await
    }
}

/// Where a purchase is headed that should have been settled by now.
fn overdue(trip: &Trip, task: &Task) -> Option<Course> {
    let Task::Purchase(purchase) = task else { return None };
    let is_late = trip.claim.overdue && purchase.course == Course::Forward;
    is_late.then_some(Course::Back(Reason::Rejected(Rejection::NotSettled)))
}

fn moved_or_lost(ours: bool) -> Progress {
    if ours { Progress::Moved } else { Progress::Lost }
}

fn failpoint(step: &Step) -> &'static str {
    match step {
        Step::Reserve => "order.reserve",
        Step::Authorize => "order.authorize",
        Step::Confirm => "order.confirm",
        Step::Capture => "order.capture",
        Step::Release => "order.release",
        Step::Void => "order.void",
        Step::LookUp(_) => "order.look_up",
        Step::Refund => "order.refund",
        Step::Restock => "order.restock",
        Step::Finish(_) => "order.finish",
    }
}
