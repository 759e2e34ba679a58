//! An order in the hands of this process: what is known of it, and what happened since it was last written down.

use kontor_types::ids::new_uuid;
use kontor_types::{Clock, SystemClock};
use tokio::time::Instant;

use crate::domain::history::{Entry, Kind};
use crate::domain::order::{Order, State};
use crate::domain::refund::{Refund, RefundState};
use crate::domain::saga::{Answer, Purchase, Step, Task};
use crate::peers::Paying;
use crate::store::sagas::Claim;

/// An order that this process drives.
pub(super) struct Trip {
    /// The order, as it stood when it was last read or written.
    pub(super) order: Order,
    pub(super) claim: Claim,
    /// Whether the provider can't have been asked for anything yet.
    pub(super) fresh: bool,
    /// The step that comes next, if it is not the first of its task.
    pub(super) step: Option<Step>,
    /// How often it did not get on, in a row.
    pub(super) tries: u32,
    /// The step that was tried last, and how often in a row.
    last: Option<(Step, i32)>,
    /// When the lease began, or a little later.
    pub(super) renewed: Instant,
    pub(super) notes: Vec<Entry>,
}

impl Trip {
    /// With the claim of an order that was accepted just now.
    pub(super) fn fresh(order: Order, claim: Claim) -> Self {
        Self { fresh: true, ..Self::new(order, claim) }
    }

    /// With a claim of which it is not known what was done under earlier ones.
    pub(super) fn new(order: Order, claim: Claim) -> Self {
        Self {
            order,
            claim,
            fresh: false,
            step: None,
            tries: 0,
            last: None,
            renewed: Instant::now(),
            notes: Vec::new(),
        }
    }

    /// What is to be done next; none if nothing is.
    pub(super) fn task(&self) -> Option<Task> {
        if self.order.state == State::Processing {
            let (course, costs_money) = (self.claim.course.clone(), self.order.snapshot.total.minor > 0);
            return Some(Task::Purchase(Purchase { course, costs_money, fresh: self.fresh }));
        }
        self.refund().map(|refund| Task::Refund { restocks: !refund.restock.is_empty() })
    }

    /// The refund that is to be given next.
    pub(super) fn refund(&self) -> Option<&Refund> {
        self.order.refunds.iter().find(|refund| refund.state == RefundState::Pending)
    }

    /// The order's payment, for the provider.
    pub(super) fn paying(&self) -> Paying<'_> {
        Paying { order: &self.order }
    }

    /// Remembers what came of a step.
    pub(super) fn note_attempt(&mut self, step: &Step, answer: &Answer) {
        let before = self.last.take().filter(|(last, _)| last == step).map_or(0, |(_, count)| count);
        let attempt = before.saturating_add(1);
        self.last = Some((step.clone(), attempt));
        let (outcome, message) = (answer.word(), answer.message());
        let entry = Entry { step: step.word().into(), attempt, ..entry(Kind::Attempted, outcome, message) };
        self.push(entry);
    }

    pub(super) fn note(&mut self, kind: Kind, outcome: &str, message: &str) {
        self.push(entry(kind, outcome, message));
    }

    fn push(&mut self, entry: Entry) {
        let refund = self.refund().filter(|_| self.order.state != State::Processing).map(|refund| refund.id);
        self.notes.push(Entry { refund, ..entry });
    }
}

pub(super) fn entry(kind: Kind, outcome: &str, message: &str) -> Entry {
    let (step, outcome, message) = (String::new(), outcome.to_owned(), message.to_owned());
    Entry { id: new_uuid(), time: SystemClock.now(), kind, step, attempt: 0, outcome, message, refund: None }
}
