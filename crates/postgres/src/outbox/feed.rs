//! One task for a service: it sequences, and tells those who watch how far it came.
//!
//! Watchers wait on a channel, so a hundred of them that have nothing to read cost no query. The database is asked by polling:
//! LISTEN/NOTIFY would serialise all commits, and not every database has it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::page::{self, OutboxEvent};
use super::sequence::{backlog, sequence};
use crate::{Pool, metrics};

/// How long the sequencer rests when it has nothing to do.
const POLL: Duration = Duration::from_millis(100);
/// How long it rests at most while the database is away.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// How often it is measured how many events wait for their positions.
const MEASURE: Duration = Duration::from_secs(5);
/// Most events that get their positions in one transaction.
const BATCH: i64 = 500;
/// Most watchers that read at the same time: when news come they all want to, and the others need connections, too.
const READERS_MAX: usize = 4;
/// Most events of a page.
const PAGE_MAX: i64 = 100;
/// Most bytes of a page, unless its first event alone has more. gRPC clients refuse messages over 4 MiB, and a product can have 2.
const PAGE_MAX_BYTES: i64 = 1024 * 1024;

/// The events of a service, for those who watch them. Clones are the same; the task ends with the last of them.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pool: Pool,
    /// The last position, as far as this process knows.
    head: watch::Receiver<i64>,
    readers: Semaphore,
    stop: CancellationToken,
    _ends_with_this: DropGuard,
}

impl Feed {
    /// Starts to sequence, until `stop`.
    pub fn start(pool: Pool, stop: &CancellationToken) -> Self {
        let stop = stop.child_token();
        let (told, head) = watch::channel(0);
        tokio::spawn(run(pool.clone(), told, stop.clone()));
        tokio::spawn(measure(pool.clone(), stop.clone()));
        let (readers, _ends_with_this) = (Semaphore::new(READERS_MAX), stop.clone().drop_guard());
        Self(Arc::new(Inner { pool, head, readers, stop, _ends_with_this }))
    }

    pub(super) fn known_head(&self) -> watch::Receiver<i64> {
        self.0.head.clone()
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    /// The last position, as the database knows it: another process may have given it just now.
    pub(super) async fn head(&self) -> Result<i64, sqlx::Error> {
        page::head(&mut *self.0.pool.acquire().await?).await
    }

    /// The next events after a position, no more than one message should hold.
    pub(super) async fn page(&self, position: i64) -> Result<Vec<OutboxEvent>, sqlx::Error> {
        let _turn = self.0.readers.acquire().await.map_err(|_closed| sqlx::Error::PoolClosed)?;
        let mut conn = self.0.pool.acquire().await?;
        page::list_after(&mut conn, position, PAGE_MAX, PAGE_MAX_BYTES).await
    }
}

async fn run(pool: Pool, told: watch::Sender<i64>, stop: CancellationToken) {
    let mut failures = 0;
    while !stop.is_cancelled() {
        let rest = match crate::with_timeout(sequence(&pool, BATCH)).await {
            Ok(turn) => {
                told.send_if_modified(|known| turn.head > std::mem::replace(known, turn.head.max(*known)));
                if std::mem::take(&mut failures) > 0 {
                    tracing::info!("events are sequenced again");
                }
                if turn.more { Duration::ZERO } else { POLL }
            }
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(%error, "events can't be sequenced; trying again");
                }
                failures += 1;
                pause(failures)
            }
        };
        let _ = tokio::time::timeout(rest, stop.cancelled()).await;
    }
}

/// Every replica reports the same numbers, which are those of the database.
async fn measure(pool: Pool, stop: CancellationToken) {
    while !stop.is_cancelled() {
        // That the database is away is in the log already, by the sequencer.
        if let Ok(backlog) = crate::with_timeout(backlog(&pool)).await {
            metrics::outbox_measured(pool.name(), backlog.pending, backlog.lag_seconds);
        }
        let _ = tokio::time::timeout(MEASURE, stop.cancelled()).await;
    }
}

/// Twice as long after each failure.
pub(super) fn pause(failures: u32) -> Duration {
    POLL.saturating_mul(2_u32.saturating_pow(failures)).min(PAUSE_MAX)
}
