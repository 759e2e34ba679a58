//! The ground truth: every answer that a buyer got.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::order::State;
use kontor_runtime::convert::money_from_wire;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    /// The key of the call that placed it.
    pub(crate) key: Uuid,
    pub(crate) order: String,
    pub(crate) state: State,
    pub(crate) total_minor: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefundAck {
    pub(crate) key: Uuid,
    pub(crate) order: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) acks: Vec<Ack>,
    pub(crate) refunds: Vec<RefundAck>,
    pub(crate) told_out_of_stock: u64,
    /// Calls that were sent again, for want of an answer.
    pub(crate) retries: u64,
    /// Faults that servers admitted: INTERNAL, or 500.
    pub(crate) faults: Vec<String>,
    /// Refusals that there was no reason for, and calls that never got an answer.
    pub(crate) surprises: Vec<String>,
    /// What was no answer, by its beginning, for people.
    pub(crate) silences: BTreeMap<String, u64>,
}

/// Where buyers write down what they were told.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Facts>);

impl Book {
    pub(crate) fn facts(&self) -> Facts {
        self.write(|facts| facts.clone())
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.write(|facts| facts.acks.iter().map(|ack| &ack.order).collect::<BTreeSet<_>>().len())
    }

    /// An order was answered to a call with this key.
    pub(super) fn ack(&self, key: Uuid, order: &pb::Order) {
        let ack =
            Ack { key, order: order.name.clone(), state: order.state(), total_minor: minor(order.total.as_ref()) };
        self.write(|facts| {
            facts.acks.push(ack);
        });
    }

    pub(super) fn refund(&self, key: Uuid, order: &str) {
        self.write(|facts| facts.refunds.push(RefundAck { key, order: order.to_owned() }));
    }

    pub(super) fn out_of_stock(&self) {
        self.write(|facts| facts.told_out_of_stock += 1);
    }

    pub(super) fn no_answer(&self, what: &str) {
        let beginning: String = what.chars().take(60).collect();
        self.write(|facts| {
            facts.retries += 1;
            *facts.silences.entry(beginning).or_default() += 1;
        });
    }

    pub(super) fn fault(&self, what: String) {
        self.write(|facts| facts.faults.push(what));
    }

    /// The run is over, and some calls were still without an answer.
    pub(crate) fn never_answered(&self) {
        self.surprise("some calls got no answer for as long as the test waited".into());
    }

    pub(super) fn surprise(&self, what: String) {
        self.write(|facts| facts.surprises.push(what));
    }

    fn write<T>(&self, change: impl FnOnce(&mut Facts) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An amount in minor units; the contract's amounts can all be counted.
pub(crate) fn minor(money: Option<&kontor_proto::google::r#type::Money>) -> i64 {
    money.and_then(|money| money_from_wire("total", money).ok()).map_or(0, |money| money.minor)
}
