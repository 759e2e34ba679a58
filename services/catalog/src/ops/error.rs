//! Why an operation of the catalog fails, apart from any wire.

use kontor_postgres::{StoreError, Transient};
use kontor_types::ids::{OrderId, VariantName};

use crate::domain::import::Malformed;
use crate::domain::reservation::{Refusal, ReservationState};

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such product or variant, or none that the caller may see. Holds the name as the caller wrote it.
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{variant} has too few units")]
    TooFewUnits {
        variant: VariantName,
        /// Its stock-keeping unit.
        sku: Option<String>,
        /// How many units could be ordered.
        available: i64,
    },
    #[error("the stock would be more than can be counted")]
    TooManyUnits,
    #[error("{0} has no reservation")]
    NoReservation(OrderId),
    /// The reservation stands otherwise, and that can't be changed so.
    #[error("the reservation is {0:?}")]
    ReservationEnded(ReservationState),
    #[error("the reservation has expired; reserve its units again")]
    ReservationExpired,
    /// More units are to come back than were taken and have not come back yet.
    #[error("{returnable} of {variant} can come back")]
    RestockTooLarge {
        variant: VariantName,
        /// How many units may come back.
        returnable: i32,
    },
    /// The file is not in the format that it should be in.
    #[error("the file can't be loaded: {0}")]
    FileMalformed(#[from] Malformed),
    /// The caller's token was revoked while the call went on; what was done before stays.
    #[error("the caller is not let in any more")]
    CallerRefused,
    #[error("the service is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Ended(state) => Self::ReservationEnded(state),
            Refusal::Expired => Self::ReservationExpired,
            Refusal::OtherLines => Self::Store(StoreError::KeyReused),
            Refusal::TooMany { variant, returnable } => Self::RestockTooLarge { variant, returnable },
        }
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::NotFound(_)
            | Self::TooFewUnits { .. }
            | Self::TooManyUnits
            | Self::NoReservation(_)
            | Self::ReservationEnded(_)
            | Self::ReservationExpired
            | Self::RestockTooLarge { .. }
            | Self::FileMalformed(_)
            | Self::CallerRefused
            | Self::Stopping => false,
        }
    }
}
