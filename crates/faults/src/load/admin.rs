//! The administrator's token, which lasts for five minutes and is got anew before that.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::shop::sign_in_at;

const GOOD_FOR: Duration = Duration::from_secs(200);

pub(crate) struct Admin {
    auth: String,
    token: Mutex<Option<(Instant, String)>>,
}

impl Admin {
    pub(crate) fn new(auth: String) -> Self {
        Self { auth, token: Mutex::default() }
    }

    /// A token, if auth gives one.
    pub(crate) async fn token(&self) -> Option<String> {
        let mut kept = self.token.lock().await;
        if let Some((since, token)) = &*kept
            && since.elapsed() < GOOD_FOR
        {
            return Some(token.clone());
        }
        let token = sign_in_at(&self.auth).await.ok()?;
        *kept = Some((Instant::now(), token.clone()));
        Some(token)
    }

    /// The token was refused: the next one is a new one.
    pub(crate) async fn forget(&self) {
        *self.token.lock().await = None;
    }
}
