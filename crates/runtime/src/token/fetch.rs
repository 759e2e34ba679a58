//! The keys, from auth.

use std::time::Duration;

use jsonwebtoken::DecodingKey;
use kontor_proto::kontor::auth::v1::GetJwksRequest;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::Status;

use super::{Verifier, invalid};
use crate::fault;

/// How long an unknown key id in a token does not make us ask again for the keys.
const REFETCH_AFTER: Duration = Duration::from_secs(10);
/// How long after an attempt no other one is made, whatever for: after a failed one callers are told so.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The last attempt to fetch the keys. Held locked while one is under way, so that there is one at a time.
#[derive(Default)]
pub(super) struct Fetching(Mutex<Option<Fetch>>);

struct Fetch {
    at: Instant,
    failed: Option<Status>,
}

impl Verifier {
    /// The key of this id, which is fetched if need be.
    pub(super) async fn key(&self, kid: &str) -> Result<DecodingKey, Status> {
        if let Some(key) = self.known().key(kid) {
            return Ok(key);
        }
        self.fetch_keys(REFETCH_AFTER).await?;
        self.known().key(kid).ok_or_else(invalid)
    }

    /// Fetches keys that auth itself has named. Strangers, who name any, can't make us wait for them.
    pub(super) async fn fetch_named_keys(&self) {
        // What failed is in the log, and comes again with auth's next message.
        let _ = self.fetch_keys(RETRY_AFTER).await;
    }

    async fn fetch_keys(&self, again_after: Duration) -> Result<(), Status> {
        let Some(source) = &self.source else { return Ok(()) };
        let mut last = self.fetching.0.lock().await;
        match last.as_ref() {
            Some(Fetch { at, failed: None }) if at.elapsed() < again_after => return Ok(()),
            Some(Fetch { at, failed: Some(status) }) if at.elapsed() < RETRY_AFTER => return Err(status.clone()),
            Some(_) | None => {}
        }
        let answer = TokenServiceClient::new(source.clone()).get_jwks(GetJwksRequest {}).await;
        let failed = match answer {
            Ok(jwks) => {
                self.take_keys(jwks.get_ref());
                None
            }
            Err(status) => Some(fault::unavailable(&status)),
        };
        *last = Some(Fetch { at: Instant::now(), failed: failed.clone() });
        failed.map_or(Ok(()), Err)
    }
}
