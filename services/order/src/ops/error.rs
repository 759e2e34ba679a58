//! Why an operation on carts and orders fails, apart from any wire.

use kontor_postgres::{StoreError, Transient};
use kontor_types::ids::OrderId;
use kontor_types::{Money, MoneyError};

use crate::domain::cart::Refusal;
use crate::domain::order::{NotAcceptable, State};
use crate::domain::refund::NotRefundable;
use crate::peers::PeerError;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such resource, or none that the caller may see. Holds the name as the caller wrote it.
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("the cart was ordered already")]
    CartOrdered(OrderId),
    #[error("the cart is empty")]
    CartEmpty,
    #[error("a cart holds {0} different variants at most")]
    CartFull(usize),
    #[error("the cart was changed while it was being ordered; read it again")]
    CartChanged,
    #[error("the total is {0}, not the expected one")]
    TotalChanged(Money),
    /// A variant can't be bought, or not so many of it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The order can't be cancelled: it has ended, or its units are taken already.
    #[error("the order can't be called off: it {}", why_not(*.0))]
    OrderState(State),
    #[error(transparent)]
    NotRefundable(#[from] NotRefundable),
    /// As many orders as can be are on their way.
    #[error("too many orders are on their way")]
    Busy,
    #[error(transparent)]
    Peer(PeerError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<NotAcceptable> for Error {
    fn from(error: NotAcceptable) -> Self {
        match error {
            NotAcceptable::Empty => Self::CartEmpty,
            NotAcceptable::Refused(refusal) => Self::Refused(refusal),
            NotAcceptable::TotalChanged(total) => Self::TotalChanged(total),
        }
    }
}

impl From<PeerError> for Error {
    fn from(error: PeerError) -> Self {
        match error {
            PeerError::NotFound(name) => Self::NotFound(name),
            PeerError::Unavailable { .. } | PeerError::Nonsense { .. } => Self::Peer(error),
        }
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        match self {
            // An order number that is taken is drawn again.
            Self::Store(error) => error.is_transient() || error.constraint() == Some("orders_number_key"),
            Self::NotFound(_)
            | Self::CartOrdered(_)
            | Self::CartEmpty
            | Self::CartFull(_)
            | Self::CartChanged
            | Self::TotalChanged(_)
            | Self::Refused(_)
            | Self::Money(_)
            | Self::OrderState(_)
            | Self::NotRefundable(_)
            | Self::Busy
            | Self::Peer(_) => false,
        }
    }
}

fn why_not(state: State) -> &'static str {
    match state {
        State::Processing => "is about to be completed",
        State::Completed => "is completed; refund it",
        State::Rejected => "was rejected",
        State::Cancelled => "was called off before",
    }
}
