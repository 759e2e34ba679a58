//! Access tokens: JWTs of the profile of RFC 9068, signed with EdDSA (RFC 8037), verified offline.
//!
//! The public keys come from auth once, and again when a token names a key that is not known yet. A token that was verified
//! is remembered until it expires, so the signature of each is checked once in each process. What auth revokes before it
//! expires is heard by [`Verifier::listen`]; see [`Verifier::fresh`] for what happens when nothing is heard.

mod claims;
mod fetch;
mod heard;
mod known;
mod listen;

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use kontor_proto::kontor::auth::v1::Jwks;
use quick_cache::sync::Cache;
use tonic::transport::Channel;
use tonic::{Code, Status};

pub use claims::{AUDIENCE, Claims, TOKEN_TYPE};

use crate::caller::Caller;
use crate::fault::{ErrorReason, Fault};
use fetch::Fetching;
use heard::Heard;
use known::{Known, Refused};

/// How many verified tokens are remembered.
const REMEMBERED: usize = 20_000;
/// The longest token that is looked at, in bytes.
const TOKEN_MAX: usize = 4096;

/// How many seconds auth's clock may be ahead of ours.
const CLOCK_SKEW_MAX: i64 = 60;

/// Verifies access tokens.
pub struct Verifier {
    validation: Validation,
    source: Option<Channel>,
    known: RwLock<Known>,
    fetching: Fetching,
    heard: Heard,
    seen: Cache<String, Arc<Verified>>,
}

/// A token that was found to be one of ours.
pub(crate) struct Verified {
    pub(crate) caller: Caller,
    kid: String,
    exp: i64,
}

impl Verifier {
    /// For the tokens of an issuer, with keys that are fetched from auth when they are first needed.
    pub fn remote(issuer: &str, auth: Channel) -> Self {
        Self::new(issuer, Some(auth))
    }

    /// For the tokens of an issuer, with what is given by [`Self::set_keys`] and [`Self::apply`] only.
    pub fn local(issuer: &str) -> Self {
        Self::new(issuer, None)
    }

    fn new(issuer: &str, source: Option<Channel>) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        let (known, fetching, heard) = (RwLock::default(), Fetching::default(), Heard::default());
        Self { validation, source, known, fetching, heard, seen: Cache::new(REMEMBERED) }
    }

    /// Replaces the keys. Keys that are no Ed25519 keys are left out.
    pub fn set_keys(&self, jwks: &Jwks) {
        self.known_mut().set_keys(jwks);
    }

    /// Who is behind the token; UNAUTHENTICATED if it is not a valid one.
    pub async fn verify(&self, token: &str) -> Result<Caller, Status> {
        Ok(self.verified(token).await?.caller.clone())
    }

    pub(crate) async fn verified(&self, token: &str) -> Result<Arc<Verified>, Status> {
        let verified = match self.seen.get(token) {
            Some(seen) if seen.exp > now() => seen,
            Some(_) | None => self.first_time(token).await?,
        };
        self.check(&verified)?;
        Ok(verified)
    }

    /// Whether a token that was all right when it was verified still is, but for its expiry.
    pub(crate) fn check(&self, token: &Verified) -> Result<(), Status> {
        self.known().check(token).map_err(|refused| match refused {
            Refused::KeyGone => invalid(),
            Refused::Revoked => revoked(),
        })
    }

    async fn first_time(&self, token: &str) -> Result<Arc<Verified>, Status> {
        if token.len() > TOKEN_MAX {
            return Err(invalid());
        }
        let kid = kid_of(token)?;
        let key = self.key(&kid).await?;
        let claims = decode::<Claims>(token, &key, &self.validation).map_err(|e| refused(e.kind()))?.claims;
        if claims.iat > now() + CLOCK_SKEW_MAX {
            return Err(invalid());
        }
        let caller = claims.caller().ok_or_else(invalid)?;
        let verified = Arc::new(Verified { caller, kid, exp: claims.exp });
        self.seen.insert(token.to_owned(), Arc::clone(&verified));
        Ok(verified)
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of the key that the token's header names, if the header is one of ours. Nothing else in the header counts.
fn kid_of(token: &str) -> Result<String, Status> {
    let header = decode_header(token).map_err(|_| invalid())?;
    let kid = header.kid.filter(|_| header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TOKEN_TYPE));
    kid.ok_or_else(invalid)
}

fn now() -> i64 {
    i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap_or(i64::MAX)
}

/// How long until a time in seconds since 1970.
fn until(time: i64) -> Duration {
    Duration::from_secs(u64::try_from(time - now()).unwrap_or_default())
}

fn refused(kind: &ErrorKind) -> Status {
    if matches!(kind, ErrorKind::ExpiredSignature) { expired() } else { invalid() }
}

/// UNAUTHENTICATED: the token has come to its end.
fn expired() -> Status {
    let message = "the access token has expired; refresh it";
    Fault::new(Code::Unauthenticated, ErrorReason::TokenExpired, message).into()
}

/// UNAUTHENTICATED: the token was revoked.
pub fn revoked() -> Status {
    let message = "the access token was revoked: its session has ended; sign in again";
    Fault::new(Code::Unauthenticated, ErrorReason::TokenRevoked, message).into()
}

/// UNAUTHENTICATED for anything but expiry and revocation: what exactly is wrong with a token is nobody's business.
pub(crate) fn invalid() -> Status {
    let message = "the access token is not valid here";
    Fault::new(Code::Unauthenticated, ErrorReason::TokenInvalid, message).into()
}
