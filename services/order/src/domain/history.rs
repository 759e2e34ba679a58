//! What happened to an order, for whoever asks later.

use chrono::{DateTime, Utc};
use kontor_types::ids::RefundId;
use uuid::Uuid;

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Accepted,
    Attempted,
    /// It is to come to nothing.
    TurnedBack,
    /// Its units are taken: it is to be completed.
    WentForward,
    TakenOver,
    PutOff,
    Alerted,
    CancellationRequested,
    RefundRequested,
    /// It ended, or a refund did.
    Ended,
}

impl Kind {
    const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Attempted,
        Self::TurnedBack,
        Self::WentForward,
        Self::TakenOver,
        Self::PutOff,
        Self::Alerted,
        Self::CancellationRequested,
        Self::RefundRequested,
        Self::Ended,
    ];

    /// Its name, in the contract and in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Attempted => "ATTEMPTED",
            Self::TurnedBack => "TURNED_BACK",
            Self::WentForward => "WENT_FORWARD",
            Self::TakenOver => "TAKEN_OVER",
            Self::PutOff => "PUT_OFF",
            Self::Alerted => "ALERTED",
            Self::CancellationRequested => "CANCELLATION_REQUESTED",
            Self::RefundRequested => "REFUND_REQUESTED",
            Self::Ended => "ENDED",
        }
    }

    /// By its name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Sorts entries by the time at which they were made.
    pub id: Uuid,
    pub time: DateTime<Utc>,
    pub kind: Kind,
    /// If it was an attempt: at which step, in the contract's words.
    pub step: String,
    pub attempt: i32,
    pub outcome: String,
    pub message: String,
    pub refund: Option<RefundId>,
}

/// An entry as it is kept: with who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub entry: Entry,
    pub process: String,
    pub epoch: i64,
}
