//! The signing keys as this process holds them: opened, and with the times that say which of them signs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kontor_runtime::fault::chain;
use kontor_runtime::token::TOKEN_TYPE;
use secrecy::ExposeSecret;

use crate::domain::key_life::{Life, signer};
use crate::domain::seal::KeyEncryptionKey;
use crate::domain::signing_key::{PublicKey, SealedKey, SigningKeyError};
use crate::store::signing_keys::StoredKey;

pub(super) struct OpenKey {
    public: PublicKey,
    pub(super) header: Header,
    pub(super) private: EncodingKey,
}

/// The keys that count, by the database's clock.
pub(super) struct KeyRing {
    open: BTreeMap<String, Arc<OpenKey>>,
    lives: Vec<Life>,
    refused: BTreeMap<String, SigningKeyError>,
    read: (DateTime<Utc>, Instant),
}

impl KeyRing {
    /// Opens the keys that the database showed at a time, unless they are open already. A key that does not open under the key-encryption key
    /// is left out.
    pub(super) fn open(
        stored: &[StoredKey],
        now: DateTime<Utc>,
        kek: &KeyEncryptionKey,
        before: Option<&Self>,
    ) -> Self {
        let mut ring =
            Self { open: BTreeMap::new(), lives: Vec::new(), refused: BTreeMap::new(), read: (now, Instant::now()) };
        for StoredKey { key, life } in stored.iter().filter(|stored| stored.life.counts(now)) {
            let known = before.and_then(|before| before.open.get(&life.kid)).cloned();
            match known.map_or_else(|| OpenKey::open(key, kek).map(Arc::new), Ok) {
                Ok(open) => {
                    ring.open.insert(life.kid.clone(), open);
                    ring.lives.push(life.clone());
                }
                Err(error) => {
                    if before.is_none_or(|before| !before.refused.contains_key(&life.kid)) {
                        tracing::error!(kid = life.kid, error = %chain(&error), "signing key does not open under the key-encryption key, ignored");
                    }
                    ring.refused.insert(life.kid.clone(), error);
                }
            }
        }
        ring
    }

    /// The database's time, estimated from the last reading.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let (time, at) = self.read;
        time + TimeDelta::from_std(at.elapsed()).unwrap_or_default()
    }

    pub(super) fn signer(&self) -> Option<&OpenKey> {
        self.open.get(&signer(&self.lives, self.now())?.kid).map(Arc::as_ref)
    }

    pub(super) fn lives(&self) -> &[Life] {
        &self.lives
    }

    /// The public parts of the keys that count, newest first.
    pub(super) fn public_keys(&self) -> Vec<PublicKey> {
        let now = self.now();
        let counting = self.lives.iter().filter(|life| life.counts(now));
        counting.filter_map(|life| self.open.get(&life.kid)).map(|key| key.public.clone()).collect()
    }

    /// Why no key signs, if keys do not open.
    pub(super) fn into_refusal(self) -> Option<SigningKeyError> {
        if self.signer().is_some() { None } else { self.refused.into_values().next() }
    }
}

impl OpenKey {
    fn open(key: &SealedKey, kek: &KeyEncryptionKey) -> Result<Self, SigningKeyError> {
        let (public, private) = (key.public.clone(), key.open(kek)?);
        let kid = Some(public.kid.clone());
        let header = Header { typ: Some(TOKEN_TYPE.into()), kid, ..Header::new(Algorithm::EdDSA) };
        Ok(Self { public, header, private: EncodingKey::from_ed_der(private.expose_secret()) })
    }
}
