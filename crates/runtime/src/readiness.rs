//! Whether a service is ready, and if not, why: for those who ask its process.

use std::sync::{Arc, Mutex, PoisonError};

use crate::metrics;

/// The readiness of one service. Clones are the same.
#[derive(Clone, Debug)]
pub struct Readiness {
    service: &'static str,
    cause: Arc<Mutex<Option<String>>>,
}

impl Readiness {
    /// Of a service that is starting.
    pub fn starting(service: &'static str) -> Self {
        Self { service, cause: Arc::new(Mutex::new(Some("it is starting".to_owned()))) }
    }

    /// The short name of the service.
    pub fn service(&self) -> &'static str {
        self.service
    }

    /// Why the service is not ready; `None` if it is.
    pub fn cause(&self) -> Option<String> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the service is ready.
    pub fn is_ready(&self) -> bool {
        self.cause().is_none()
    }

    /// Takes what was found, and logs it if it is news.
    pub(crate) fn set(&self, found: Result<(), String>) {
        let (name, cause) = (self.service, found.err());
        let mut known = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == cause {
            return;
        }
        metrics::set_ready(name, cause.is_none());
        match &cause {
            None => tracing::info!(name, "ready"),
            Some(cause) => tracing::warn!(name, cause, "not ready"),
        }
        *known = cause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_not_ready_until_it_says_so() {
        let readiness = Readiness::starting("order");
        assert!(readiness.cause().is_some());
        readiness.clone().set(Ok(()));
        assert_eq!(readiness.cause(), None);
        readiness.set(Err("the database is not available".into()));
        assert_eq!(readiness.cause().as_deref(), Some("the database is not available"));
    }
}
