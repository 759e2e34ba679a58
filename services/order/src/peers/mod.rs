//! What the order service asks of others, in its own words. Nothing of the wire passes from here into the operations.

mod catalog;
mod payment;

pub use catalog::Catalog;
pub use payment::{Paying, Payments};

use kontor_runtime::fault::{self, ErrorReason};
use tonic::{Code, Status};

use crate::domain::saga::Answer;

/// So many letters of what a peer says are kept.
const SAID_MAX: usize = 200;

/// A peer that could not be asked, or that answered what makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It does not know what it was asked for. Holds the name.
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{peer} is not available")]
    Unavailable {
        peer: &'static str,
        /// What came instead of an answer.
        #[source]
        status: Box<Status>,
    },
    #[error("{peer} answered without {missing}")]
    Nonsense { peer: &'static str, missing: &'static str },
}

impl PeerError {
    fn from_status(peer: &'static str, status: Status) -> Self {
        use tonic_types::StatusExt;
        let info = status.get_details_error_info();
        let name = info.and_then(|info| info.metadata.get("resource").cloned());
        match (fault::reason_of(&status), name) {
            (Some(ErrorReason::ResourceNotFound), Some(name)) => Self::NotFound(name),
            (_, _) => Self::Unavailable { peer, status: Box::new(status) },
        }
    }
}

/// What an error says of the step: that the peer refuses it for good, which it should not, or that nothing is known.
fn failed(peer: &str, status: &Status) -> Answer {
    let message: String = status.message().chars().filter(|letter| !letter.is_control()).take(SAID_MAX).collect();
    let said = format!("{peer}: {:?}: {message}", status.code());
    match status.code() {
        Code::FailedPrecondition | Code::InvalidArgument | Code::NotFound | Code::AlreadyExists | Code::OutOfRange => {
            Answer::Contradiction(said)
        }
        _ => {
            tracing::warn!(said, "a step has no answer");
            Answer::Unknown(said)
        }
    }
}
