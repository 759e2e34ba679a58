//! Why the provider does not do what it is asked.

use kontor_types::{Currency, Money};

use super::payment::State;

/// A request that can't be done. Nothing is remembered of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the idempotency key was used before, with another request")]
    KeyReused,
    #[error("no authorisation has the key {0:?}")]
    UnknownAuthorization(String),
    /// The payment is not in a state that allows it.
    #[error("the payment is {}", .0.word())]
    WrongState(State),
    #[error("{left} can be refunded, not more")]
    RefundTooLarge {
        /// What is captured and not yet refunded.
        left: Money,
    },
    #[error(transparent)]
    Amount(#[from] AmountFault),
}

/// What is wrong with an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AmountFault {
    #[error("must be more than zero")]
    NotPositive,
    #[error("must be in {0}, as the authorised amount is")]
    OtherCurrency(Currency),
    #[error("must be the authorised amount, {0}")]
    NotInFull(Money),
}
