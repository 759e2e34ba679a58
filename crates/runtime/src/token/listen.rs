//! Listening to what auth revokes.

use std::sync::Arc;
use std::time::Duration;

use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_proto::kontor::auth::v1::{WatchRevocationsRequest, WatchRevocationsResponse};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::Verifier;
use crate::fault::{ErrorReason, chain, reason_of};
use crate::identity::Identity;
use crate::peer::Peer;

/// Auth says something each second. After this long without a word the stream is taken for dead.
const SILENCE_MAX: Duration = Duration::from_millis(2500);
/// The first pause after a stream has ended; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);

impl Verifier {
    /// Listens to what auth revokes, as a service of its own identity, until `stop`.
    pub async fn listen(&self, identity: Arc<Identity>, stop: &CancellationToken) {
        stop.run_until_cancelled(self.listen_on(identity)).await;
    }

    async fn listen_on(&self, identity: Arc<Identity>) {
        let Some(auth) = self.source.clone() else { return };
        let auth = TokenServiceClient::new(Peer::new(auth, identity));
        let mut pause = PAUSE;
        // Whether it is worth a line that auth is heard.
        let mut is_news = true;
        loop {
            let mut has_heard = false;
            let ended = self.hear(auth.clone(), &mut has_heard, &mut is_news).await;
            self.lost();
            // The stream ends with the token that it was asked for by.
            let is_expired = reason_of(&ended) == Some(ErrorReason::TokenExpired);
            if !is_expired && (has_heard || pause == PAUSE) {
                tracing::warn!(error = %chain(&ended), "what auth revokes is not heard; listening again");
                is_news = true;
            }
            pause = if has_heard { PAUSE } else { (pause * 2).min(PAUSE_MAX) };
            // Drawn anew each time, so that the services do not all come back at once.
            sleep(rand::random_range(pause / 2..pause)).await;
        }
    }

    /// Takes in one stream to its end, and says how it ended.
    async fn hear(&self, mut auth: TokenServiceClient<Peer>, has_heard: &mut bool, is_news: &mut bool) -> Status {
        // The channel bounds the time until the stream begins, and not how long it goes on.
        let mut messages = match auth.watch_revocations(WatchRevocationsRequest {}).await {
            Ok(messages) => messages.into_inner(),
            Err(status) => return status,
        };
        loop {
            match next(&mut messages).await {
                Ok(message) => self.apply(&message),
                Err(status) => return status,
            }
            *has_heard = true;
            if std::mem::take(is_news) {
                tracing::info!("what auth revokes is heard");
            }
            if !self.has_all_keys() {
                self.fetch_named_keys().await;
            }
        }
    }
}

async fn next(messages: &mut Streaming<WatchRevocationsResponse>) -> Result<WatchRevocationsResponse, Status> {
    let ended = |what| Status::unavailable(format!("the stream {what}"));
    let message = timeout(SILENCE_MAX, messages.message()).await.map_err(|_| ended("fell silent"))?;
    message?.ok_or_else(|| ended("ended"))
}
