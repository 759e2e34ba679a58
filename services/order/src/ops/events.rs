//! Watching what happened.

use kontor_postgres::outbox::{Feed, Start, Watch, WatchError};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

/// What happened, for those who keep something of their own in step.
#[derive(Clone, Debug)]
pub struct Events {
    feed: Feed,
}

impl Events {
    /// Over a pool that was migrated. From now on events are put in order, until `stop`.
    pub fn start(pool: PgPool, stop: &CancellationToken) -> Self {
        Self { feed: Feed::start(pool, stop) }
    }

    /// The events after a cursor, or, if it is empty, from where `otherwise` says.
    pub async fn watch(&self, cursor: &str, otherwise: Start) -> Result<Watch, WatchError> {
        self.feed.watch(Start::from_request(cursor, otherwise)?).await
    }
}
