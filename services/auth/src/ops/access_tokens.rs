//! Makes access tokens: JWTs of the profile of RFC 9068, signed with EdDSA. `kontor_runtime::token` verifies them.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kontor_runtime::token::{AUDIENCE, Claims, TOKEN_TYPE};
use kontor_types::Clock;
use kontor_types::ids::{SessionId, UserId, new_uuid};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use uuid::Uuid;

use crate::domain::service_account::account_name;

/// How long an access token is good, in seconds.
const LIFE_SECONDS: i64 = 300;
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
    header: Header,
    key: EncodingKey,
    clock: Arc<dyn Clock>,
}

impl AccessTokens {
    /// Of an issuer, signed with the private key (PKCS #8) of this id.
    pub(super) fn new(issuer: &str, kid: &str, private: &SecretSlice<u8>, clock: Arc<dyn Clock>) -> Self {
        let header = Header { typ: Some(TOKEN_TYPE.into()), kid: Some(kid.into()), ..Header::new(Algorithm::EdDSA) };
        Self { issuer: issuer.into(), header, key: EncodingKey::from_ed_der(private.expose_secret()), clock }
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
        let (exp, jti) = (iat + LIFE_SECONDS, new_uuid().to_string());
        Claims { iss, sub, aud, client_id, iat, exp, jti, sid: String::new(), scope: String::new() }
    }

    fn sign(&self, claims: &Claims) -> Result<AccessToken, jsonwebtoken::errors::Error> {
        let token = jsonwebtoken::encode(&self.header, claims, &self.key)?.into();
        Ok(AccessToken { token, expire_time: DateTime::from_timestamp(claims.exp, 0).unwrap_or_default() })
    }
}
