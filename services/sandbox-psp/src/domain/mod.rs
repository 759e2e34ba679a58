//! The rules of the provider: no I/O, no clock, no wire types.

mod behaviour;
mod ledger;
mod payment;
mod refusal;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use behaviour::Behaviour;
pub(crate) use ledger::{Ask, Cause, Entry, Ledger, Request, Terms};
pub(crate) use payment::{Decline, Payment, State, Sums};
pub(crate) use refusal::Refusal;
pub(crate) use rules::{Now, Verdict, decide, look_up, review};
