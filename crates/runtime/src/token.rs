//! Access tokens: JWTs of the profile of RFC 9068, signed with EdDSA (RFC 8037), verified offline.
//!
//! The public keys come from auth once, and again when a token names a key that is not known yet. A token that was verified
//! is remembered until it expires, so the signature of each is checked once in each process.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_proto::kontor::auth::v1::{GetJwksRequest, Jwks};
use kontor_types::ids::UserId;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tonic::transport::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::caller::{Caller, Subject};
use crate::fault::{self, ErrorReason, Fault};

/// The audience of every access token.
pub const AUDIENCE: &str = "kontor";
/// The `typ` of every access token (RFC 9068, section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";
/// How many verified tokens are remembered.
const REMEMBERED: usize = 20_000;
/// How long an unknown key id does not make us ask again for the keys.
const REFETCH_AFTER: Duration = Duration::from_secs(10);
/// How long after a failed attempt callers are told so without another one.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// The longest token that is looked at, in bytes.
const TOKEN_MAX: usize = 4096;

/// What an access token says (RFC 9068, section 2.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// Who it is about: `users/{uuid}` or `serviceAccounts/{name}`.
    pub sub: String,
    /// Who it is for.
    pub aud: String,
    /// The client that asked for it.
    pub client_id: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    /// Its own id.
    pub jti: String,
    /// The session that it belongs to; empty for services.
    #[serde(default)]
    pub sid: String,
    /// The permissions it carries, separated by spaces (RFC 8693, section 4.2).
    #[serde(default)]
    pub scope: String,
}

/// Verifies access tokens.
pub struct Verifier {
    validation: Validation,
    source: Option<Channel>,
    keys: RwLock<HashMap<String, DecodingKey>>,
    last_fetch: tokio::sync::Mutex<Option<Fetch>>,
    seen: Cache<String, Verified>,
}

struct Fetch {
    at: Instant,
    failed: Option<Status>,
}

#[derive(Clone)]
struct Verified {
    caller: Caller,
    exp: i64,
}

impl Verifier {
    /// For the tokens of an issuer, with keys that are fetched from auth when they are first needed.
    pub fn remote(issuer: &str, auth: Channel) -> Self {
        Self::new(issuer, Some(auth))
    }

    /// For the tokens of an issuer, with keys that are given by [`Self::set_keys`] only.
    pub fn local(issuer: &str) -> Self {
        Self::new(issuer, None)
    }

    fn new(issuer: &str, source: Option<Channel>) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        let (keys, last_fetch) = (RwLock::default(), tokio::sync::Mutex::new(None));
        Self { validation, source, keys, last_fetch, seen: Cache::new(REMEMBERED) }
    }

    /// Replaces the keys. Keys that are no Ed25519 keys are left out.
    pub fn set_keys(&self, jwks: &Jwks) {
        let keys = jwks.keys.iter().filter(|key| key.kty == "OKP" && key.crv == "Ed25519");
        let keys = keys.filter_map(|key| Some((key.kid.clone(), DecodingKey::from_ed_components(&key.x).ok()?)));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.collect();
        // What a key that is gone has signed is not good any more.
        self.seen.clear();
    }

    /// Who is behind the token; UNAUTHENTICATED if it is not a valid one.
    pub async fn verify(&self, token: &str) -> Result<Caller, Status> {
        if let Some(seen) = self.seen.get(token)
            && seen.exp > now()
        {
            return Ok(seen.caller);
        }
        let key = self.key_of(token).await?;
        let claims = decode::<Claims>(token, &key, &self.validation).map_err(|e| refused(e.kind()))?.claims;
        let exp = claims.exp;
        let caller = caller_of(claims).ok_or_else(invalid)?;
        self.seen.insert(token.to_owned(), Verified { caller: caller.clone(), exp });
        Ok(caller)
    }

    /// The key that the token's header names, if the header is one of ours. Nothing else in the header counts.
    async fn key_of(&self, token: &str) -> Result<DecodingKey, Status> {
        if token.len() > TOKEN_MAX {
            return Err(invalid());
        }
        let header = decode_header(token).map_err(|_| invalid())?;
        let kid = header.kid.filter(|_| header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TOKEN_TYPE));
        let kid = kid.ok_or_else(invalid)?;
        if let Some(key) = self.key(&kid) {
            return Ok(key);
        }
        self.fetch_keys().await?;
        self.key(&kid).ok_or_else(invalid)
    }

    fn key(&self, kid: &str) -> Option<DecodingKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    async fn fetch_keys(&self) -> Result<(), Status> {
        let Some(source) = &self.source else { return Ok(()) };
        let mut last = self.last_fetch.lock().await;
        match last.as_ref() {
            Some(Fetch { at, failed: None }) if at.elapsed() < REFETCH_AFTER => return Ok(()),
            Some(Fetch { at, failed: Some(status) }) if at.elapsed() < RETRY_AFTER => return Err(status.clone()),
            Some(_) | None => {}
        }
        let answer = TokenServiceClient::new(source.clone()).get_jwks(GetJwksRequest {}).await;
        let failed =
            answer.map(|jwks| self.set_keys(jwks.get_ref())).map_err(|status| fault::unavailable(&status)).err();
        *last = Some(Fetch { at: Instant::now(), failed: failed.clone() });
        failed.map_or(Ok(()), Err)
    }
}

fn now() -> i64 {
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap_or(i64::MAX)
}

fn caller_of(claims: Claims) -> Option<Caller> {
    let subject = match claims.sub.strip_prefix("serviceAccounts/") {
        Some(name) => Subject::Service(name.to_owned()),
        None => Subject::User(UserId::from_name(&claims.sub).ok()?),
    };
    let caller = Caller::new(subject, claims.scope.split_whitespace().map(str::to_owned));
    Some(match Uuid::try_parse(&claims.sid) {
        Ok(sid) => caller.in_session(sid),
        Err(_) => caller,
    })
}

fn refused(kind: &ErrorKind) -> Status {
    if !matches!(kind, ErrorKind::ExpiredSignature) {
        return invalid();
    }
    let message = "the access token has expired; refresh it";
    Fault::new(Code::Unauthenticated, ErrorReason::TokenExpired, message).into()
}

/// UNAUTHENTICATED for anything but expiry: what exactly is wrong with a token is nobody's business.
pub(crate) fn invalid() -> Status {
    let message = "the access token is not valid here";
    Fault::new(Code::Unauthenticated, ErrorReason::TokenInvalid, message).into()
}
