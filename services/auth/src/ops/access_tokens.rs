//! Makes access tokens: JWTs of the profile of RFC 9068, signed with EdDSA. `kontor_runtime::token` verifies them.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use kontor_runtime::token::{AUDIENCE, Claims};
use kontor_types::Clock;
use kontor_types::ids::{SessionId, UserId, new_uuid};
use secrecy::SecretString;
use uuid::Uuid;

use super::key_ring::KeyRing;
use crate::domain::key_life::TOKEN_SECONDS;
use crate::domain::service_account::account_name;

/// The client that people's tokens name.
pub(super) const CLIENT: &str = "kontor";

/// An access token.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) token: SecretString,
    pub(crate) expire_time: DateTime<Utc>,
}

/// What a key of a service account was traded for.
#[derive(Debug)]
pub(super) struct ServiceGrant {
    pub(super) account: String,
    pub(super) sid: Uuid,
    pub(super) permissions: Vec<String>,
    /// When the key expires.
    pub(super) expire_time: Option<DateTime<Utc>>,
}

/// Makes access tokens.
pub(super) struct AccessTokens {
    issuer: String,
    ring: RwLock<Arc<KeyRing>>,
    clock: Arc<dyn Clock>,
}

impl AccessTokens {
    /// Of an issuer, signed with one of these keys.
    pub(super) fn new(issuer: &str, ring: KeyRing, clock: Arc<dyn Clock>) -> Self {
        Self { issuer: issuer.into(), ring: RwLock::new(Arc::new(ring)), clock }
    }

    /// Who issues them.
    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The keys.
    pub(super) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the keys.
    pub(super) fn set_ring(&self, ring: KeyRing) {
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
    }

    /// For a user in a session.
    pub(super) fn for_user(
        &self,
        user: UserId,
        session: SessionId,
        permissions: &[String],
    ) -> Result<AccessToken, jsonwebtoken::errors::Error> {
        let claims = self.claims(user.to_string(), CLIENT);
        self.sign(&Claims { sid: session.0.to_string(), scope: permissions.join(" "), ..claims })
    }

    /// For a service account, by one of its keys. It does not outlive the key.
    pub(super) fn for_service(&self, grant: &ServiceGrant) -> Result<AccessToken, jsonwebtoken::errors::Error> {
        let claims = self.claims(account_name(&grant.account), &grant.account);
        let exp = grant.expire_time.map_or(claims.exp, |end| claims.exp.min(end.timestamp()));
        self.sign(&Claims { sid: grant.sid.to_string(), scope: grant.permissions.join(" "), exp, ..claims })
    }

    fn claims(&self, sub: String, client_id: &str) -> Claims {
        let iat = self.clock.now().timestamp();
        let (iss, aud, client_id) = (self.issuer.clone(), AUDIENCE.into(), client_id.into());
        let (exp, jti) = (iat + TOKEN_SECONDS, new_uuid().to_string());
        Claims { iss, sub, aud, client_id, iat, exp, jti, sid: String::new(), scope: String::new() }
    }

    fn sign(&self, claims: &Claims) -> Result<AccessToken, jsonwebtoken::errors::Error> {
        let ring = self.ring();
        // Never so, as long as the keys in the table are ours.
        let key = ring.signer().ok_or(ErrorKind::InvalidEddsaKey)?;
        let token = jsonwebtoken::encode(&key.header, claims, &key.private)?.into();
        Ok(AccessToken { token, expire_time: DateTime::from_timestamp(claims.exp, 0).unwrap_or_default() })
    }
}
