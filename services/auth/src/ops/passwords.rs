//! Password hashes: Argon2id (RFC 9106), on blocking threads, as many at once as there are cores. The number of waiting calls is bounded, so
//! that no call waits until after its deadline.

use std::sync::Arc;

use argon2::Params;
use argon2::password_hash;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Error;
use super::argon::Argon;
use crate::domain::password;

/// How many calls may wait for each that runs: about two seconds of work.
const WAITING_PER_RUNNING: usize = 16;

/// What a password hash costs.
#[derive(Clone, Copy, Debug)]
pub struct PasswordCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// 64 MiB, three passes, one lane: the memory of RFC 9106's second choice, with one lane because requests are what
    /// runs in parallel here.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

pub(super) struct Passwords {
    argon: Arc<Argon>,
    /// The hash of a random password, which unknown accounts are compared with, so that they take as long as known ones.
    dummy_hash: SecretString,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

/// Permits one hash to run, or to wait for a core.
pub(super) struct HashPermit(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Passwords {
    /// `cost` is that of new hashes.
    pub(super) fn new(cost: PasswordCost) -> Result<Self, password_hash::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None);
        let params = params.map_err(password_hash::Error::from)?;
        let argon = Arc::new(Argon::new(params));
        let dummy_hash = argon.hash(&rand::random::<[u8; 32]>())?.into();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let running = Arc::new(Semaphore::new(cores));
        let admitted = Arc::new(Semaphore::new(cores * (1 + WAITING_PER_RUNNING)));
        Ok(Self { argon, dummy_hash, running, admitted })
    }

    /// Acquired before anything else, so that a flood of calls is refused before it queues for the database.
    pub(super) fn acquire(&self) -> Result<HashPermit, Error> {
        Arc::clone(&self.admitted).try_acquire_owned().map(HashPermit).map_err(|_full| Error::Busy)
    }

    /// The hash of a password, with a salt of its own, as a PHC string.
    pub(super) async fn hash(&self, permit: HashPermit, password: SecretString) -> Result<String, Error> {
        let (argon, password) = (Arc::clone(&self.argon), password::normalized(&password));
        Ok(self.run(permit, move || argon.hash(password.expose_secret().as_bytes())).await??)
    }

    /// Whether the password has this hash. Without a hash, false after the same time.
    pub(super) async fn matches(
        &self,
        permit: HashPermit,
        password: SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool, Error> {
        let (argon, exists) = (Arc::clone(&self.argon), hash.is_some());
        let password = password::normalized(&password);
        let hash = hash.unwrap_or_else(|| self.dummy_hash.clone());
        let compare = move || argon.matches(password.expose_secret().as_bytes(), hash.expose_secret());
        Ok(self.run(permit, compare).await?? && exists)
    }

    /// The work holds the permits, since it runs on when its caller has left.
    async fn run<T: Send + 'static>(
        &self,
        permit: HashPermit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_closed| Error::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            let _held = (permit, running);
            work()
        });
        Ok(task.await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheap() -> Passwords {
        Passwords::new(PasswordCost { memory_kib: 8, passes: 1, lanes: 1 }).unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = cheap();
        let permit = || passwords.acquire().unwrap();
        let hash = passwords.hash(permit(), "correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(passwords.matches(permit(), "correct horse battery".into(), Some(hash.clone().into())).await.unwrap());
        assert!(!passwords.matches(permit(), "correct horse batter".into(), Some(hash.into())).await.unwrap());
        assert!(!passwords.matches(permit(), "correct horse battery".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_call_is_refused_while_too_many_wait() {
        let passwords = cheap();
        let permits = u32::try_from(passwords.admitted.available_permits()).unwrap();
        let held = passwords.admitted.acquire_many(permits).await.unwrap();
        assert!(matches!(passwords.acquire(), Err(Error::Busy)));
        drop(held);
        passwords.hash(passwords.acquire().unwrap(), "p".into()).await.unwrap();
    }
}
