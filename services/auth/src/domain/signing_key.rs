//! The keys that sign access tokens: Ed25519 (RFC 8037), named by their thumbprint (RFC 7638).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretSlice};

use super::seal::{KeyEncryptionKey, SealError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// Its id, which tokens name in their header.
    pub(crate) kid: String,
    /// 32 bytes.
    pub(crate) bytes: Vec<u8>,
}

/// A key as the database stores it.
#[derive(Clone, Debug)]
pub(crate) struct SealedKey {
    pub(crate) public: PublicKey,
    pub(crate) sealed_private: Vec<u8>,
}

/// Why a key can't be made or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningKeyError {
    #[error("no signing key could be made")]
    Generate(#[from] aws_lc_rs::error::Unspecified),
    #[error("the signing key could not be sealed or opened")]
    Seal(#[from] SealError),
    #[error("the private part of the signing key is not that of its public part")]
    NoPair,
}

impl PublicKey {
    /// The public part of the key with these 32 bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(bytes));
        let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()));
        Self { kid, bytes: bytes.to_vec() }
    }

    /// The 32 bytes in base64url, as a JSON Web Key has them.
    pub(crate) fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.bytes)
    }
}

impl SealedKey {
    /// A new key, with its private part (PKCS #8) sealed.
    pub(crate) fn generate(kek: &KeyEncryptionKey) -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::generate()?;
        let public = PublicKey::new(pair.public_key().as_ref());
        let private = pair.to_pkcs8()?;
        let sealed_private = kek.seal(&place(&public.kid), private.as_ref())?;
        Ok(Self { public, sealed_private })
    }

    /// The private part (PKCS #8). It opens only if it was sealed under the key-encryption key, so that write access to the database is not
    /// enough to add a key.
    pub(crate) fn open(&self, kek: &KeyEncryptionKey) -> Result<SecretSlice<u8>, SigningKeyError> {
        let private = kek.open(&place(&self.public.kid), &self.sealed_private)?;
        let pair = Ed25519KeyPair::from_pkcs8(private.expose_secret()).map_err(|_| SigningKeyError::NoPair)?;
        let is_pair = PublicKey::new(pair.public_key().as_ref()) == self.public;
        if is_pair { Ok(private) } else { Err(SigningKeyError::NoPair) }
    }
}

fn place(kid: &str) -> String {
    format!("auth.signing_keys.sealed_private.{kid}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kek() -> KeyEncryptionKey {
        KeyEncryptionKey::parse(&base64::engine::general_purpose::STANDARD.encode([1; 32]).into()).unwrap()
    }

    #[test]
    fn a_key_id_is_the_thumbprint_of_rfc_8037() {
        let x = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(PublicKey::new(&x).kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_sealed_key_opens_to_the_pair_of_its_public_part() {
        let key = SealedKey::generate(&kek()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(key.open(&kek()).unwrap().expose_secret()).unwrap();
        assert_eq!(pair.public_key().as_ref(), key.public.bytes);
    }

    #[test]
    fn parts_of_two_keys_make_none() {
        let (one, other) = (SealedKey::generate(&kek()).unwrap(), SealedKey::generate(&kek()).unwrap());
        let moved = SealedKey { sealed_private: one.sealed_private.clone(), ..other.clone() };
        assert!(matches!(moved.open(&kek()), Err(SigningKeyError::Seal(_))), "sealed for another row");
        let public = PublicKey { kid: one.public.kid.clone(), bytes: other.public.bytes };
        assert!(matches!(SealedKey { public, ..one }.open(&kek()), Err(SigningKeyError::NoPair)));
    }
}
