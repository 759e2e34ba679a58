//! The provider's calls, one function each, with the mishaps that the sandbox's payment tokens ask for.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kontor_failpoints::{At, pass};
use tokio_util::sync::CancellationToken;

use crate::book::{Book, BookError, Decided};
use crate::domain::{Behaviour, Payment, Request};

/// How long `tok_slow` takes.
const SLOW: Duration = Duration::from_secs(2);
/// How long `tok_timeout` says nothing: longer than callers wait.
const SILENCE: Duration = Duration::from_secs(30);

pub(crate) struct Provider {
    book: Book,
    stop: CancellationToken,
    failed_before: Mutex<HashSet<String>>,
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error(transparent)]
    Book(#[from] BookError),
    #[error("the payment token asked for a failure")]
    Staged,
}

impl Provider {
    /// With its book; silences end at the stop signal.
    pub(crate) fn new(book: Book, stop: CancellationToken) -> Self {
        Self { book, stop, failed_before: Mutex::default() }
    }

    /// Holds an amount, or declines to. Mishaps happen to a key once: a repeat goes through.
    pub(crate) async fn authorize(&self, request: &Request, behaviour: Behaviour) -> Result<Payment, CallError> {
        if !self.book.is_answered(&request.key) {
            self.mishap_before(&request.key, behaviour).await?;
        }
        let decided = self.decide("psp.authorize", request).await?;
        self.lock_failed().remove(&request.key);
        if decided.is_new {
            self.mishap_after(behaviour).await?;
        }
        Ok(decided.payment)
    }

    pub(crate) async fn capture(&self, request: &Request) -> Result<Payment, CallError> {
        Ok(self.decide("psp.capture", request).await?.payment)
    }

    /// Lets go of an authorised amount.
    pub(crate) async fn void(&self, request: &Request) -> Result<Payment, CallError> {
        Ok(self.decide("psp.void", request).await?.payment)
    }

    pub(crate) async fn refund(&self, request: &Request) -> Result<Payment, CallError> {
        Ok(self.decide("psp.refund", request).await?.payment)
    }

    pub(crate) async fn look_up(&self, authorization_key: &str) -> Result<Payment, CallError> {
        Ok(self.book.look_up(authorization_key).await?)
    }

    async fn decide(&self, step: &'static str, request: &Request) -> Result<Decided, CallError> {
        pass(step, At::Before).await;
        let decided = self.book.decide(request).await?;
        if !decided.is_new {
            tracing::info!(key = request.key, "a call was repeated");
        }
        pass(step, At::After).await;
        Ok(decided)
    }

    async fn mishap_before(&self, key: &str, behaviour: Behaviour) -> Result<(), CallError> {
        match behaviour {
            Behaviour::Slow => tokio::time::sleep(SLOW).await,
            Behaviour::ErrorBefore if self.lock_failed().insert(key.to_owned()) => return Err(CallError::Staged),
            Behaviour::Approve
            | Behaviour::Decline
            | Behaviour::ErrorBefore
            | Behaviour::ErrorAfter
            | Behaviour::Timeout
            | Behaviour::Review
            | Behaviour::Unknown => {}
        }
        Ok(())
    }

    async fn mishap_after(&self, behaviour: Behaviour) -> Result<(), CallError> {
        match behaviour {
            Behaviour::ErrorAfter => Err(CallError::Staged),
            Behaviour::Timeout => {
                let _ = tokio::time::timeout(SILENCE, self.stop.cancelled()).await;
                Err(CallError::Staged)
            }
            Behaviour::Approve
            | Behaviour::Decline
            | Behaviour::Slow
            | Behaviour::ErrorBefore
            | Behaviour::Review
            | Behaviour::Unknown => Ok(()),
        }
    }

    /// The keys whose first call has failed before anything was done, and whose second is awaited.
    fn lock_failed(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.failed_before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
