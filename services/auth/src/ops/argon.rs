//! Argon2id (RFC 9106) in memory that is reused: returning it to the system after each password, and allocating it again,
//! makes hashing slower by a third.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, Error};
use argon2::{Algorithm, Argon2, Block, Params, Version};

const SALT_BYTES: usize = 16;

/// Hashes and compares passwords. Keeps as much memory as was ever in use at once.
pub(super) struct Argon {
    params: Params,
    idle: Mutex<Vec<Vec<Block>>>,
}

impl Argon {
    /// `params` are those of new hashes.
    pub(super) fn new(params: Params) -> Self {
        Self { params, idle: Mutex::default() }
    }

    /// The hash of a password, with a salt of its own, as a PHC string.
    pub(super) fn hash(&self, password: &[u8]) -> password_hash::Result<String> {
        let salt = Salt::new(&rand::random::<[u8; SALT_BYTES]>())?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let argon2 = Argon2::new(algorithm, version, self.params.clone());
        let hash = self.output(&argon2, password, &salt)?;
        let (params, version) = (ParamsString::try_from(&self.params)?, Some(version.into()));
        let (salt, hash, algorithm) = (Some(salt), Some(hash), algorithm.ident());
        Ok(PasswordHash { algorithm, version, params, salt, hash }.to_string())
    }

    /// Whether the password has this hash, by the hash's own parameters.
    pub(super) fn matches(&self, password: &[u8], hash: &str) -> password_hash::Result<bool> {
        let hash = PasswordHash::new(hash)?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from)?;
        let argon2 = Argon2::new(Algorithm::try_from(hash.algorithm.as_str())?, version, Params::try_from(&hash)?);
        let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
        // Outputs are compared in constant time.
        Ok(self.output(&argon2, password, salt)? == *expected)
    }

    fn output(&self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8]) -> password_hash::Result<Output> {
        let params = argon2.params();
        let mut out = [0; Output::MAX_LENGTH];
        let out = out.get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)).ok_or(Error::OutputSize)?;
        let mut memory = self.idle().pop().unwrap_or_default();
        if memory.len() < params.block_count() {
            memory.resize(params.block_count(), Block::new());
        }
        let hashed = argon2.hash_password_into_with_memory(password, salt, out, &mut memory[..]);
        self.idle().push(memory);
        hashed?;
        Ok(Output::new(out)?)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Vec<Block>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;

    use super::*;

    #[test]
    fn hashes_are_those_of_the_library_whatever_was_in_the_memory_before() {
        let argon = Argon::new(Params::new(64, 2, 1, None).unwrap());
        let hashes = ["a", "b", "a"].map(|password| argon.hash(password.as_bytes()).unwrap());
        for (password, hash) in ["a", "b", "a"].iter().zip(&hashes) {
            Argon2::default().verify_password(password.as_bytes(), hash.as_str()).unwrap();
            assert!(argon.matches(password.as_bytes(), hash).unwrap());
            assert!(!argon.matches(b"c", hash).unwrap());
        }
        assert_ne!(hashes[0], hashes[2]);
        assert_eq!(argon.idle().len(), 1);
    }

    #[test]
    fn a_hash_with_other_parameters_is_compared_by_them() {
        let (small, large) = [8, 64].map(|m| Argon::new(Params::new(m, 1, 1, None).unwrap())).into();
        let hash = large.hash(b"a").unwrap();
        assert!(small.matches(b"a", &hash).unwrap() && !small.matches(b"b", &hash).unwrap());
        assert!(small.matches(b"a", "$argon2id$nonsense").is_err());
    }
}
