//! A service's own identity towards other services: the access token that its key buys from auth.

use std::time::Duration;

use http::HeaderValue;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::{IssueServiceTokenRequest, IssueServiceTokenResponse};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::Status;
use tonic::transport::Channel;

use crate::fault;

/// How long before its end a token is replaced.
const REPLACE_BEFORE: Duration = Duration::from_secs(60);
/// How long a token is used when auth does not say when it ends.
const ASSUMED_LIFE: Duration = Duration::from_secs(120);

/// Buys service tokens and keeps the newest.
pub struct Identity {
    key: SecretString,
    auth: Channel,
    current: Mutex<Option<ServiceToken>>,
}

#[derive(Clone)]
struct ServiceToken {
    header: HeaderValue,
    good_until: Instant,
}

impl Identity {
    /// With the key of a service account, `kt_sk_…`.
    pub fn new(key: SecretString, auth: Channel) -> Self {
        Self { key, auth, current: Mutex::new(None) }
    }

    /// The value of the header `authorization`. One caller at a time asks auth; the others wait for its answer.
    pub async fn authorization(&self) -> Result<HeaderValue, Status> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Instant::now() < token.good_until) {
            return Ok(token.header.clone());
        }
        let token = self.buy().await?;
        Ok(current.insert(token).header.clone())
    }

    async fn buy(&self) -> Result<ServiceToken, Status> {
        let asked = Instant::now();
        let request = IssueServiceTokenRequest { key: self.key.expose_secret().to_owned() };
        let answer = AuthenticationServiceClient::new(self.auth.clone()).issue_service_token(request).await;
        let answer = answer.map_err(|status| fault::unavailable(&status))?.into_inner();
        let mut header = HeaderValue::try_from(format!("Bearer {}", answer.access_token))
            .map_err(|error| fault::internal(&error))?;
        header.set_sensitive(true);
        Ok(ServiceToken { header, good_until: asked + life(&answer).saturating_sub(REPLACE_BEFORE) })
    }
}

fn life(answer: &IssueServiceTokenResponse) -> Duration {
    let now = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap_or(i64::MAX);
    let seconds = answer.expire_time.as_ref().and_then(|end| u64::try_from(end.seconds - now).ok());
    seconds.map_or(ASSUMED_LIFE, Duration::from_secs)
}
