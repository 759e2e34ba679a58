//! Password hashes: Argon2id (RFC 9106), on threads of their own, as many at once as there are cores. Those that wait are
//! bounded, so that nobody waits for an answer that comes too late.

use std::sync::Arc;

use argon2::Params;
use argon2::password_hash;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Error;
use super::argon::Argon;

/// How many may wait for each that runs: about two seconds' worth.
const WAITING_PER_RUNNING: usize = 16;

/// What a password hash costs.
#[derive(Clone, Copy, Debug)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for PasswordCost {
    /// 64 MiB, three passes, one lane: the memory of RFC 9106's second choice, with one lane because requests are what
    /// runs in parallel here.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

/// Hashes and compares passwords.
pub(super) struct Passwords {
    argon: Arc<Argon>,
    /// The hash of a password that nobody has. Comparing with it costs what comparing with a user's costs.
    nobodys: SecretString,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

/// A place among those whose passwords are hashed, or wait for it.
pub(super) struct Place(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Passwords {
    /// At this cost.
    pub(super) fn new(cost: PasswordCost) -> Result<Self, password_hash::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None);
        let params = params.map_err(password_hash::Error::from)?;
        let argon = Arc::new(Argon::new(params));
        let nobodys = argon.hash(&rand::random::<[u8; 32]>())?.into();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let running = Arc::new(Semaphore::new(cores));
        let admitted = Arc::new(Semaphore::new(cores * (1 + WAITING_PER_RUNNING)));
        Ok(Self { argon, nobodys, running, admitted })
    }

    /// A place, before anything else is done: a flood of calls is turned away at the door, and does not queue for the database
    /// either.
    pub(super) fn place(&self) -> Result<Place, Error> {
        Arc::clone(&self.admitted).try_acquire_owned().map(Place).map_err(|_full| Error::Busy)
    }

    /// The hash of a password, with a salt of its own, as a PHC string.
    pub(super) async fn hash(&self, place: Place, password: SecretString) -> Result<String, Error> {
        let argon = Arc::clone(&self.argon);
        Ok(self.run(place, move || argon.hash(password.expose_secret().as_bytes())).await??)
    }

    /// Whether the password has this hash. Without one it takes as long and is never so.
    pub(super) async fn matches(
        &self,
        place: Place,
        password: SecretString,
        hash: Option<SecretString>,
    ) -> Result<bool, Error> {
        let (argon, exists) = (Arc::clone(&self.argon), hash.is_some());
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        let compare = move || argon.matches(password.expose_secret().as_bytes(), hash.expose_secret());
        Ok(self.run(place, compare).await?? && exists)
    }

    /// A caller that goes away leaves its work running, so the work itself holds the permits.
    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_closed| Error::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            let _held = (place, running);
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
        let place = || passwords.place().unwrap();
        let hash = passwords.hash(place(), "correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(passwords.matches(place(), "correct horse battery".into(), Some(hash.clone().into())).await.unwrap());
        assert!(!passwords.matches(place(), "correct horse batter".into(), Some(hash.into())).await.unwrap());
        assert!(!passwords.matches(place(), "correct horse battery".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn whoever_comes_when_too_many_wait_is_sent_away() {
        let passwords = cheap();
        let places = u32::try_from(passwords.admitted.available_permits()).unwrap();
        let held = passwords.admitted.acquire_many(places).await.unwrap();
        assert!(matches!(passwords.place(), Err(Error::Busy)));
        drop(held);
        passwords.hash(passwords.place().unwrap(), "p".into()).await.unwrap();
    }
}
