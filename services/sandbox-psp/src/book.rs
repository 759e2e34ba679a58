//! The ledger together with its journal: what is decided here is written down before anyone hears of it.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use kontor_types::Clock;
use kontor_types::ids::new_uuid;
use tokio::sync::mpsc::Permit;

use crate::domain::{self, Entry, Ledger, Now, Payment, Refusal, Request, Verdict};
use crate::journal::{Closed, Journal};

pub(crate) struct Book {
    kept: Mutex<Kept>,
    journal: Journal,
    clock: Arc<dyn Clock>,
}

struct Kept {
    ledger: Ledger,
    position: u64,
}

pub(crate) struct Decided {
    pub(crate) payment: Payment,
    pub(crate) is_new: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BookError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Closed(#[from] Closed),
}

impl Book {
    pub(crate) fn new(ledger: Ledger, journal: Journal, clock: Arc<dyn Clock>) -> Self {
        Self { kept: Mutex::new(Kept { ledger, position: 0 }), journal, clock }
    }

    /// Whether the idempotency key has an answer.
    pub(crate) fn is_answered(&self, key: &str) -> bool {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).ledger.answer(key).is_some()
    }

    /// Decides on a request, or gives its first answer again.
    pub(crate) async fn decide(&self, request: &Request) -> Result<Decided, BookError> {
        let turn = self.turn(&request.authorization_key, |kept, time, place| {
            let now = Now { time, id: new_uuid() };
            Ok(match domain::decide(&kept.ledger, request, now)? {
                Verdict::Again(payment) => Decided { payment, is_new: false },
                Verdict::New(entry) => Decided { payment: kept.keep(entry, place), is_new: true },
            })
        });
        turn.await
    }

    pub(crate) async fn look_up(&self, authorization_key: &str) -> Result<Payment, BookError> {
        self.turn(authorization_key, |kept, _, _| domain::look_up(&kept.ledger, authorization_key)).await
    }

    /// Asks the ledger, which nobody else does meanwhile, and waits until all that the answer may build on is on the disk:
    /// also a refusal, or a repeated answer, may come from an entry that is still on its way.
    async fn turn<T>(
        &self,
        authorization_key: &str,
        rule: impl FnOnce(&mut Kept, DateTime<Utc>, Permit<'_, Entry>) -> Result<T, Refusal>,
    ) -> Result<T, BookError> {
        let [review_place, place] = self.journal.places().await?;
        let (answer, position) = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let time = self.clock.now();
            match domain::review(&kept.ledger, authorization_key, time) {
                Some(entry) => drop(kept.keep(entry, review_place)),
                None => drop(review_place),
            }
            (rule(&mut kept, time, place), kept.position)
        };
        self.journal.written(position).await?;
        Ok(answer?)
    }
}

impl Kept {
    /// Queues an entry and remembers it. The lock around this keeps the journal in the ledger's order.
    fn keep(&mut self, entry: Entry, place: Permit<'_, Entry>) -> Payment {
        let payment = entry.payment.clone();
        place.send(entry.clone());
        self.position += 1;
        self.ledger.apply(entry);
        payment
    }
}
