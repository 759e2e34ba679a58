//! How an order is driven to its end: which step comes next, given what the last one answered.
//!
//! ```text
//! reserve -> authorise -> confirm -> capture -> completed          (the reservation's confirmation is the pivot)
//!    |           |           |
//!    |           |           +-- hold expired: reserve again
//!    +-- too few +-- declined+-- units gone, called off, or not settled in time:
//!                 release -> void -> rejected or cancelled
//!                    +-- units are taken already: forward again, to the completion
//!
//! look up -> refund -> restock -> succeeded
//!               +-- refused: failed
//! ```
//!
//! Every step is keyed by the order or the refund, so that it may be sent any number of times. That is why so little is written down:
//! after a crash the way is walked again from its beginning, and each step answers as it did before. Only decisions are written
//! down before they are acted on: to turn back, since after a release the way forward is closed; and to go
//! forward after all, since the catalog alone knows which of a confirmation and a release came first.

mod next;
#[cfg(test)]
mod tests;

pub use next::{first, next};

use super::cart::Shortage;
use super::order::Rejection;

/// What is to be done for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    Purchase(Purchase),
    Refund {
        /// Whether units go back into stock with it.
        restocks: bool,
    },
}

/// A purchase, as far as its way depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    pub course: Course,
    /// False for an order whose total is zero: then no provider is asked.
    pub costs_money: bool,
    /// Whether the provider can't have been asked for anything yet, by whomever.
    pub fresh: bool,
}

/// Where a purchase is headed, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// To its completion, as far as is known.
    Forward,
    Back(Reason),
    /// To its completion, for sure: the units are taken.
    Committed,
}

/// Why an order is to come to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    Rejected(Rejection),
    Cancelled,
}

/// One call to a peer, or the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hold the units.
    Reserve,
    Authorize,
    /// Take the units.
    Confirm,
    Capture,
    /// Let the units go.
    Release,
    Void,
    /// Ask the provider what became of a call.
    LookUp(Doubt),
    Refund,
    /// Put the units back.
    Restock,
    Finish(End),
}

/// A call whose outcome is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    Authorize,
    Capture,
    Refund,
}

/// How a task ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Units and money are taken.
    Completed,
    Nothing(Reason),
    Refunded,
    /// The provider won't give it back, and says why.
    RefundRefused(String),
}

/// What a peer answered to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The units are held, or were taken already.
    Reserved,
    /// There are too few units; nothing is held.
    TooFew(Vec<Shortage>),
    /// The units are not held any more, for good.
    UnitsGone,
    /// The units are not held any more; they may be asked for again.
    HoldExpired,
    /// The units are taken.
    Confirmed,
    /// The units are let go.
    Released,
    /// The money is held, or was taken already.
    Authorized,
    /// The provider refuses, with its code.
    Declined(String),
    InReview,
    Captured,
    Voided,
    Refunded,
    /// The provider won't give the money back, and says why.
    RefundRefused(String),
    /// The units are back in stock.
    Restocked,
    /// The call in doubt was not done.
    NotDone,
    /// The answer can't be, after what was answered before or by the contract: says how. Nothing is built on it.
    Contradiction(String),
    /// Whether the step was done is unknown: says why.
    Unknown(String),
}

/// What to do after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Go(Step),
    /// This step, after a pause: the same one again, or a look at what became of it.
    Retry(Step),
    /// Write the new course down; then go on from [`first`].
    Steer(Course),
    /// The way from its beginning again, after a long pause: a person at the provider decides.
    Wait,
    /// The same, and somebody should look: what was answered can't be.
    Alert(String),
}

impl Step {
    /// Its name in the history and in the contract.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Reserve => "RESERVE",
            Self::Authorize => "AUTHORIZE",
            Self::Confirm => "CONFIRM",
            Self::Capture => "CAPTURE",
            Self::Release => "RELEASE",
            Self::Void => "VOID",
            Self::LookUp(_) => "LOOK_UP",
            Self::Refund => "REFUND",
            Self::Restock => "RESTOCK",
            Self::Finish(_) => "FINISH",
        }
    }
}

impl Answer {
    /// What came of the step, in one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Reserved => "HELD",
            Self::TooFew(_) => "TOO_FEW",
            Self::UnitsGone => "UNITS_GONE",
            Self::HoldExpired => "HOLD_EXPIRED",
            Self::Confirmed => "CONFIRMED",
            Self::Released => "RELEASED",
            Self::Authorized => "AUTHORIZED",
            Self::Declined(_) => "DECLINED",
            Self::InReview => "IN_REVIEW",
            Self::Captured => "CAPTURED",
            Self::Voided => "VOIDED",
            Self::Refunded => "REFUNDED",
            Self::RefundRefused(_) => "REFUSED",
            Self::Restocked => "RESTOCKED",
            Self::NotDone => "NOT_DONE",
            Self::Contradiction(_) => "CONTRADICTION",
            Self::Unknown(_) => "UNKNOWN",
        }
    }

    /// What there is to say besides, for people.
    pub fn message(&self) -> &str {
        match self {
            Self::Declined(text) | Self::RefundRefused(text) | Self::Contradiction(text) | Self::Unknown(text) => text,
            Self::Reserved
            | Self::TooFew(_)
            | Self::UnitsGone
            | Self::HoldExpired
            | Self::Confirmed
            | Self::Released
            | Self::Authorized
            | Self::InReview
            | Self::Captured
            | Self::Voided
            | Self::Refunded
            | Self::Restocked
            | Self::NotDone => "",
        }
    }
}
