//! What the provider remembers: payments by the key of their authorisation, and answers by idempotency key.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kontor_types::Money;

use super::behaviour::Behaviour;
use super::payment::{Payment, State};

/// All that was decided. It is changed by [`Ledger::apply`] only, so that the entries in their order give the same ledger again.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    payments: HashMap<String, Payment>,
    answers: HashMap<String, Answer>,
}

/// The first answer to an idempotency key, and what it was the answer to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) request: Request,
    pub(crate) payment: Payment,
}

impl Ledger {
    /// The payment with this authorisation key.
    pub(crate) fn find(&self, authorization_key: &str) -> Option<&Payment> {
        self.payments.get(authorization_key)
    }

    /// The first answer to this idempotency key.
    pub(crate) fn answer(&self, key: &str) -> Option<&Answer> {
        self.answers.get(key)
    }

    pub(crate) fn apply(&mut self, entry: Entry) {
        let Entry { cause, payment, .. } = entry;
        // "In review" is no decision yet: what follows it takes its place as the answer to the authorisation.
        if let Some(answer) = self.answers.get_mut(&payment.authorization_key)
            && answer.payment.state == State::InReview
        {
            answer.payment = payment.clone();
        }
        if let Cause::Call(request) = cause {
            self.answers.insert(request.key.clone(), Answer { request, payment: payment.clone() });
        }
        self.payments.insert(payment.authorization_key.clone(), payment);
    }
}

/// A decision: one line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) time: DateTime<Utc>,
    pub(crate) cause: Cause,
    pub(crate) payment: Payment,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Call(Request),
    Review,
}

/// A call that moves money. Two calls are the same request if these are equal; payment tokens that mean the same to the
/// sandbox make no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) key: String,
    /// The idempotency key of the authorisation it is about; for an authorisation, its own.
    pub(crate) authorization_key: String,
    pub(crate) ask: Ask,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Authorize(Terms),
    Capture(Money),
    Void,
    Refund(Money),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) order: String,
    pub(crate) amount: Money,
    pub(crate) behaviour: Behaviour,
}
