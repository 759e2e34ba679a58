//! What the provider decides, by the contract of `kontor.payment.v1`: pure functions of the ledger, the request and the time.

use chrono::{DateTime, TimeDelta, Utc};
use kontor_types::Money;
use uuid::Uuid;

use super::behaviour::Behaviour;
use super::ledger::{Ask, Cause, Entry, Ledger, Request, Terms};
use super::payment::{Decline, Payment, State, Sums};
use super::refusal::{AmountFault, Refusal};

/// How long the review of a payment takes.
const REVIEW: TimeDelta = TimeDelta::seconds(5);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) time: DateTime<Utc>,
    /// An id for a payment that is new.
    pub(crate) id: Uuid,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was decided before: the first answer again.
    Again(Payment),
    /// A decision, to be written down before it is answered.
    New(Entry),
}

pub(crate) fn decide(ledger: &Ledger, request: &Request, now: Now) -> Result<Verdict, Refusal> {
    if let Some(first) = ledger.answer(&request.key) {
        let is_same = first.request == *request;
        return if is_same { Ok(Verdict::Again(first.payment.clone())) } else { Err(Refusal::KeyReused) };
    }
    let key = &request.authorization_key;
    let payment = match &request.ask {
        Ask::Authorize(terms) => authorize(ledger, key, terms, now),
        Ask::Capture(amount) => capture(ledger, key, *amount),
        Ask::Void => void(ledger, key, now),
        Ask::Refund(amount) => refund(ledger, key, *amount),
    }?;
    Ok(Verdict::New(Entry { time: now.time, cause: Cause::Call(request.clone()), payment }))
}

pub(crate) fn look_up(ledger: &Ledger, authorization_key: &str) -> Result<Payment, Refusal> {
    let found = ledger.find(authorization_key).cloned();
    found.ok_or_else(|| Refusal::UnknownAuthorization(authorization_key.to_owned()))
}

/// The end of a payment's review, if it is time for it.
pub(crate) fn review(ledger: &Ledger, authorization_key: &str, time: DateTime<Utc>) -> Option<Entry> {
    let payment = ledger.find(authorization_key)?;
    let is_due = payment.state == State::InReview && time - payment.create_time >= REVIEW;
    let payment = Payment { state: State::Authorized, ..payment.clone() };
    is_due.then_some(Entry { time, cause: Cause::Review, payment })
}

/// Holds the amount or refuses to, as the payment token chose. Only a void can have come before: then it is declined.
fn authorize(ledger: &Ledger, key: &str, terms: &Terms, now: Now) -> Result<Payment, Refusal> {
    positive(terms.amount)?;
    let (payment, decline) = match ledger.find(key) {
        Some(voided) => (voided.clone(), Some(Decline::Voided)),
        None => (unseen(key, now), refused_by(terms.behaviour)),
    };
    let state = match (decline, terms.behaviour) {
        (Some(_), _) => State::Declined,
        (None, Behaviour::Review) => State::InReview,
        (None, _) => State::Authorized,
    };
    Ok(Payment { order: Some(terms.order.clone()), sums: Some(Sums::of(terms.amount)), state, decline, ..payment })
}

/// A payment of which nothing is known yet, so that nothing is held.
fn unseen(key: &str, now: Now) -> Payment {
    let (authorization_key, create_time) = (key.to_owned(), now.time);
    Payment { id: now.id, authorization_key, order: None, sums: None, state: State::Voided, decline: None, create_time }
}

fn refused_by(behaviour: Behaviour) -> Option<Decline> {
    match behaviour {
        Behaviour::Decline => Some(Decline::CardDeclined),
        Behaviour::Unknown => Some(Decline::UnknownToken),
        Behaviour::Approve
        | Behaviour::Slow
        | Behaviour::ErrorBefore
        | Behaviour::ErrorAfter
        | Behaviour::Timeout
        | Behaviour::Review => None,
    }
}

/// Collects the authorised amount: once, and all of it.
fn capture(ledger: &Ledger, key: &str, amount: Money) -> Result<Payment, Refusal> {
    let payment = look_up(ledger, key)?;
    let (State::Authorized, Some(sums)) = (payment.state, payment.sums) else {
        return Err(Refusal::WrongState(payment.state));
    };
    same_currency(amount, sums)?;
    if amount != sums.authorized {
        return Err(AmountFault::NotInFull(sums.authorized).into());
    }
    Ok(Payment { state: State::Captured, sums: Some(Sums { captured: amount, ..sums }), ..payment })
}

/// Lets go of what is held. A key that was never seen is marked, so that a late authorisation finds the mark.
fn void(ledger: &Ledger, key: &str, now: Now) -> Result<Payment, Refusal> {
    let payment = ledger.find(key).cloned().unwrap_or_else(|| unseen(key, now));
    match payment.state {
        State::Captured | State::Refunded => Err(Refusal::WrongState(payment.state)),
        State::Authorized | State::InReview | State::Declined | State::Voided => {
            Ok(Payment { state: State::Voided, ..payment })
        }
    }
}

/// Gives back all or part of what is captured and not given back yet.
fn refund(ledger: &Ledger, key: &str, amount: Money) -> Result<Payment, Refusal> {
    positive(amount)?;
    let payment = look_up(ledger, key)?;
    let (State::Captured, Some(sums)) = (payment.state, payment.sums) else {
        return Err(Refusal::WrongState(payment.state));
    };
    same_currency(amount, sums)?;
    let left = sums.captured.minor - sums.refunded.minor;
    if amount.minor > left {
        return Err(Refusal::RefundTooLarge { left: Money { minor: left, ..amount } });
    }
    let state = if amount.minor == left { State::Refunded } else { State::Captured };
    let refunded = Money { minor: sums.refunded.minor + amount.minor, ..amount };
    Ok(Payment { state, sums: Some(Sums { refunded, ..sums }), ..payment })
}

fn positive(amount: Money) -> Result<(), AmountFault> {
    if amount.minor > 0 { Ok(()) } else { Err(AmountFault::NotPositive) }
}

fn same_currency(amount: Money, sums: Sums) -> Result<(), AmountFault> {
    let currency = sums.authorized.currency;
    if amount.currency == currency { Ok(()) } else { Err(AmountFault::OtherCurrency(currency)) }
}
