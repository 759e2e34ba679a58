//! A service's own identity towards other services: the access token that its key buys from auth.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::HeaderValue;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::{IssueServiceTokenRequest, IssueServiceTokenResponse};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::fault::{self, Fault};

/// How long before its end a token is replaced.
const REPLACE_BEFORE: Duration = Duration::from_secs(60);
/// How long a token is used when auth does not say when it ends.
const ASSUMED_LIFE: Duration = Duration::from_secs(120);

/// After auth could not be asked, callers are told so for this long without asking again: they would wait in line otherwise, each
/// for the whole time that a call may take.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// Buys service tokens and keeps the newest.
pub struct Identity {
    key: SecretString,
    auth: Channel,
    kept: Mutex<Kept>,
    /// Whether auth has refused the key, the last time that it answered.
    is_refused: AtomicBool,
}

#[derive(Default)]
struct Kept {
    token: Option<ServiceToken>,
    failed: Option<(Instant, Status)>,
}

struct ServiceToken {
    header: HeaderValue,
    replace_from: Instant,
    ends: Instant,
}

impl Identity {
    /// With the key of a service account, `kt_sk_…`.
    pub fn new(key: SecretString, auth: Channel) -> Self {
        Self { key, auth, kept: Mutex::default(), is_refused: AtomicBool::new(false) }
    }

    /// The value of the header `authorization`. One caller at a time asks auth; the others wait for its answer. A token that
    /// should be replaced but can't be is used to its end.
    pub async fn authorization(&self) -> Result<HeaderValue, Status> {
        let mut kept = self.kept.lock().await;
        if kept.token.as_ref().is_none_or(|token| token.replace_from <= Instant::now()) {
            self.replace(&mut kept).await;
        }
        let usable = kept.token.as_ref().filter(|token| Instant::now() < token.ends);
        match (usable, &kept.failed) {
            (Some(token), _) => Ok(token.header.clone()),
            (None, Some((_, status))) => Err(status.clone()),
            (None, None) => Err(Fault::unavailable("this service has no identity yet; try again").into()),
        }
    }

    /// Whether this service can call others, as far as that depends on its key: a part of its readiness. That auth is away is not.
    ///
    /// # Errors
    /// With what is to be done.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.is_refused.load(Ordering::Relaxed) {
            return Err("auth does not know the key of this service: check --service-key (KONTOR_SERVICE_KEY)");
        }
        Ok(())
    }

    /// Lets go of a token that was refused, so that the next call buys another: all of them are worth nothing when auth's keys were
    /// replaced because they had been stolen.
    pub(crate) async fn forget(&self, refused: &HeaderValue) {
        let mut kept = self.kept.lock().await;
        kept.token.take_if(|token| token.header == refused);
    }

    async fn replace(&self, kept: &mut Kept) {
        if kept.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < ASK_AGAIN_AFTER) {
            return;
        }
        match self.buy().await {
            Ok(token) => *kept = Kept { token: Some(token), failed: None },
            Err(status) => kept.failed = Some((Instant::now(), status)),
        }
    }

    async fn buy(&self) -> Result<ServiceToken, Status> {
        let asked = Instant::now();
        let request = IssueServiceTokenRequest { key: self.key.expose_secret().to_owned() };
        let answer = AuthenticationServiceClient::new(self.auth.clone()).issue_service_token(request).await;
        let is_refused = answer.as_ref().is_err_and(|status| status.code() == Code::Unauthenticated);
        if is_refused || answer.is_ok() {
            self.is_refused.store(is_refused, Ordering::Relaxed);
        }
        let answer = answer.map_err(|status| fault::unavailable(&status))?.into_inner();
        let mut header = HeaderValue::try_from(format!("Bearer {}", answer.access_token))
            .map_err(|error| fault::internal(&error))?;
        header.set_sensitive(true);
        let life = life(&answer);
        Ok(ServiceToken { header, replace_from: asked + life.saturating_sub(REPLACE_BEFORE), ends: asked + life })
    }
}

fn life(answer: &IssueServiceTokenResponse) -> Duration {
    let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap_or(i64::MAX);
    let seconds = answer.expire_time.as_ref().and_then(|end| u64::try_from(end.seconds - now).ok());
    seconds.map_or(ASSUMED_LIFE, Duration::from_secs)
}
