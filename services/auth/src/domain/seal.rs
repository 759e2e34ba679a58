//! Secrets at rest: AES-256-GCM under a key that only the settings hold. The place of each secret is bound to it as
//! associated data, so that one row's secret can't be put into another's.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// The key that other secrets are sealed under.
pub(crate) struct KeyEncryptionKey(RandomizedNonceKey);

/// Why a secret can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the key-encryption key must be 32 bytes in base64, as from \"openssl rand -base64 32\"")]
    Key,
    #[error("what was sealed can't be opened: another key-encryption key sealed it, or it was tampered with")]
    Open,
    #[error("sealing failed")]
    Seal(#[source] Unspecified),
}

impl KeyEncryptionKey {
    /// From 32 bytes in base64.
    pub(crate) fn parse(text: &SecretString) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text.expose_secret().trim()).map_err(|_| SealError::Key)?;
        let bytes = SecretSlice::from(bytes);
        RandomizedNonceKey::new(&AES_256_GCM, bytes.expose_secret()).map(Self).map_err(|_| SealError::Key)
    }

    /// Seals a secret for a place. The answer is nonce, ciphertext and tag in a row.
    pub(crate) fn seal(&self, place: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut sealed = secret.to_vec();
        let nonce = self.0.seal_in_place_append_tag(Aad::from(place), &mut sealed).map_err(SealError::Seal)?;
        Ok([nonce.as_ref().as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the place.
    pub(crate) fn open(&self, place: &str, sealed: &[u8]) -> Result<SecretSlice<u8>, SealError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError::Open)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Open)?;
        let mut opened = sealed.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(place), &mut opened).map_err(|_| SealError::Open)?;
        Ok(SecretSlice::from(opened.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> KeyEncryptionKey {
        KeyEncryptionKey::parse(&STANDARD.encode([byte; 32]).into()).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_at_the_same_place_only() {
        let sealed = key(1).seal("a", b"secret").unwrap();
        assert_eq!(key(1).open("a", &sealed).unwrap().expose_secret(), b"secret");
        assert!(key(1).open("b", &sealed).is_err());
        assert!(key(2).open("a", &sealed).is_err());
        assert!(key(1).open("a", &sealed[..5]).is_err());
        let mut changed = sealed;
        changed[NONCE_LEN] ^= 1;
        assert!(key(1).open("a", &changed).is_err());
    }

    #[test]
    fn the_same_secret_is_sealed_differently_each_time() {
        assert_ne!(key(1).seal("a", b"secret").unwrap(), key(1).seal("a", b"secret").unwrap());
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        for bad in ["", "no base64!", "c2hvcnQ="] {
            assert!(KeyEncryptionKey::parse(&bad.into()).is_err(), "{bad}");
        }
    }
}
