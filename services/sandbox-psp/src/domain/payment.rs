//! A payment, from its authorisation on.

use chrono::{DateTime, Utc};
use kontor_types::Money;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: Uuid,
    pub(crate) authorization_key: String,
    /// The order it is for; none if it was voided before anyone asked for it.
    pub(crate) order: Option<String>,
    /// Its amounts; none if it was voided before anyone asked for it.
    pub(crate) sums: Option<Sums>,
    pub(crate) state: State,
    pub(crate) decline: Option<Decline>,
    pub(crate) create_time: DateTime<Utc>,
}

/// The amounts of a payment, all in one currency: 0 <= refunded <= captured <= authorized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) authorized: Money,
    /// What was captured so far: nothing, or all.
    pub(crate) captured: Money,
    pub(crate) refunded: Money,
}

impl Sums {
    /// Of a payment of which nothing is captured yet.
    pub(crate) fn of(authorized: Money) -> Self {
        let zero = Money::zero(authorized.currency);
        Self { authorized, captured: zero, refunded: zero }
    }
}

/// Where a payment stands, as `kontor.payment.v1.Payment.State` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Authorized,
    /// Refused; nothing is held.
    Declined,
    InReview,
    Captured,
    /// Let go; nothing is held.
    Voided,
    /// Collected, and given back in full.
    Refunded,
}

impl State {
    const ALL: [Self; 6] =
        [Self::Authorized, Self::Declined, Self::InReview, Self::Captured, Self::Voided, Self::Refunded];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Authorized => "AUTHORIZED",
            Self::Declined => "DECLINED",
            Self::InReview => "IN_REVIEW",
            Self::Captured => "CAPTURED",
            Self::Voided => "VOIDED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// By its name in the contract.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decline {
    /// The payment token asked for it.
    CardDeclined,
    /// The payment token is none of the sandbox's.
    UnknownToken,
    /// The key was voided before the authorisation came.
    Voided,
}

impl Decline {
    const ALL: [Self; 3] = [Self::CardDeclined, Self::UnknownToken, Self::Voided];

    /// Its `decline_code`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::CardDeclined => "card_declined",
            Self::UnknownToken => "unknown_token",
            Self::Voided => "voided",
        }
    }

    /// By its `decline_code`.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decline| decline.word() == word)
    }
}
