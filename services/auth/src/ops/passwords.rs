//! Password hashes: Argon2id (RFC 9106), on threads of their own, as many at once as there are cores. Those that wait are
//! bounded, so that nobody waits for an answer that comes too late.

use std::sync::Arc;

use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use super::Error;

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
    argon2: Argon2<'static>,
    /// The hash of a password that nobody has. Comparing with it costs what comparing with a user's costs.
    nobodys: String,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Passwords {
    /// At this cost.
    pub(super) fn new(cost: PasswordCost) -> Result<Self, password_hash::Error> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None);
        let params = params.map_err(password_hash::Error::from)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobodys = argon2.hash_password(&rand::random::<[u8; 32]>())?.to_string();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let running = Arc::new(Semaphore::new(cores));
        let admitted = Arc::new(Semaphore::new(cores * (1 + WAITING_PER_RUNNING)));
        Ok(Self { argon2, nobodys, running, admitted })
    }

    /// The hash of a password, with a salt of its own, as a PHC string.
    pub(super) async fn hash(&self, password: SecretString) -> Result<String, Error> {
        let argon2 = self.argon2.clone();
        let hash = self.run(move || argon2.hash_password(password.expose_secret().as_bytes())).await?;
        Ok(hash?.to_string())
    }

    /// Whether the password has this hash. Without one it takes as long and is never so.
    pub(super) async fn matches(&self, password: SecretString, hash: Option<String>) -> Result<bool, Error> {
        let (argon2, exists) = (self.argon2.clone(), hash.is_some());
        let hash = hash.unwrap_or_else(|| self.nobodys.clone());
        let compared =
            self.run(move || argon2.verify_password(password.expose_secret().as_bytes(), hash.as_str())).await?;
        match compared {
            Ok(()) => Ok(exists),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// A caller that goes away leaves its work running, so the work itself holds the permits.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_full| Error::Busy)?;
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_closed| Error::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            let _held = (admitted, running);
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
        let hash = passwords.hash("correct horse battery".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(passwords.matches("correct horse battery".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches("correct horse batter".into(), Some(hash)).await.unwrap());
        assert!(!passwords.matches("correct horse battery".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn whoever_comes_when_too_many_wait_is_sent_away() {
        let passwords = cheap();
        let places = u32::try_from(passwords.admitted.available_permits()).unwrap();
        let held = passwords.admitted.acquire_many(places).await.unwrap();
        assert!(matches!(passwords.hash("p".into()).await, Err(Error::Busy)));
        drop(held);
        passwords.hash("p".into()).await.unwrap();
    }
}
