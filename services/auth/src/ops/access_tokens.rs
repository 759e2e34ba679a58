//! Access tokens: JWTs of the profile of RFC 9068, signed with EdDSA. `kontor_runtime::token` verifies them.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::DateTime;
use jsonwebtoken::errors::ErrorKind;
use kontor_runtime::token::{AUDIENCE, Claims};
use kontor_types::Clock;
use kontor_types::ids::{SessionId, UserId, new_uuid};

use super::key_ring::KeyRing;
use crate::domain::key_life::TOKEN_SECONDS;
use crate::domain::service_account::account_name;
use crate::domain::session::AccessToken;
use crate::store::service_keys::GoodKey;

/// The client that tokens of users name.
pub(super) const CLIENT: &str = "kontor";

pub(super) struct AccessTokens {
    issuer: String,
    ring: RwLock<Arc<KeyRing>>,
    clock: Arc<dyn Clock>,
}

impl AccessTokens {
    pub(super) fn new(issuer: &str, ring: KeyRing, clock: Arc<dyn Clock>) -> Self {
        Self { issuer: issuer.into(), ring: RwLock::new(Arc::new(ring)), clock }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_ring(&self, ring: KeyRing) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    pub(super) fn for_user(
        &self,
        user: UserId,
        session: SessionId,
        permissions: &[String],
    ) -> Result<AccessToken, jsonwebtoken::errors::Error> {
        let claims = self.claims(user.to_string(), CLIENT);
        self.sign(&Claims { sid: session.0.to_string(), scope: permissions.join(" "), ..claims })
    }

    /// The token of a service account, by one of its keys. It expires no later than the key.
    pub(super) fn for_service(
        &self,
        key: &GoodKey,
        permissions: &[String],
    ) -> Result<AccessToken, jsonwebtoken::errors::Error> {
        let claims = self.claims(account_name(&key.account), &key.account);
        let exp = key.expire_time.map_or(claims.exp, |end| claims.exp.min(end.timestamp()));
        self.sign(&Claims { sid: key.sid.to_string(), scope: permissions.join(" "), exp, ..claims })
    }

    fn claims(&self, sub: String, client_id: &str) -> Claims {
        let iat = self.clock.now().timestamp();
        let (iss, aud, client_id) = (self.issuer.clone(), AUDIENCE.into(), client_id.into());
        let (exp, jti) = (iat + TOKEN_SECONDS, new_uuid().to_string());
        Claims { iss, sub, aud, client_id, iat, exp, jti, sid: String::new(), scope: String::new() }
    }

    fn sign(&self, claims: &Claims) -> Result<AccessToken, jsonwebtoken::errors::Error> {
        let ring = self.ring();
        // Fails only if no key in the table opens under the key-encryption key.
        let key = ring.signer().ok_or(ErrorKind::InvalidEddsaKey)?;
        let token = jsonwebtoken::encode(&key.header, claims, &key.private)?.into();
        Ok(AccessToken { token, expire_time: DateTime::from_timestamp(claims.exp, 0).unwrap_or_default() })
    }
}
