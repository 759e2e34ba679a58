//! The signing keys and revocations that verifiers must know. Each replica polls the database for them, so that a change by any replica
//! reaches the verifiers of all.

use std::time::{Duration, Instant};

use kontor_postgres::Pool;
use sqlx::PgConnection;
use tokio::sync::{Mutex, watch};

use super::keys::read_ring;
use super::{Auth, Error};
use crate::domain::revocation::{Log, Revocation, RevocationUpdate};
use crate::domain::signing_key::PublicKey;
use crate::store;

/// How long a subscription waits before it sends an update without news.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How old the last poll may be for updates to be sent. Without updates, verifiers learn that they may miss revocations.
const FRESH_MAX: Duration = Duration::from_secs(1);
/// How often all revocations are read, and not only the newest.
const FULL_READ_INTERVAL: Duration = Duration::from_secs(60);
/// After a gap this long between two polls all revocations are read: less than the newest reach back.
const GAP_MAX: Duration = Duration::from_secs(5);
/// The most revocations in one update: receivers limit messages to some megabytes.
const UPDATE_MAX: usize = 1000;

/// Called after each poll, one call at a time, before this process signs with a key that the snapshot is the first to name.
pub(crate) type OnUpdate = Box<dyn Fn(&Snapshot) + Send + Sync>;

pub(crate) struct Snapshot {
    /// The keys that count, if they changed.
    pub(crate) keys: Option<Vec<PublicKey>>,
    pub(crate) update: RevocationUpdate,
}

/// What this process knows of keys and revocations, and its subscribers.
pub(super) struct RevocationFeed {
    /// A pool of its own, so that calls that wait for a connection do not delay revocations.
    pool: Pool,
    /// Held during a poll, so that an older snapshot does not replace a newer one.
    last_read: Mutex<LastRead>,
    state: watch::Sender<FeedState>,
    on_update: OnUpdate,
}

#[derive(Default)]
struct LastRead {
    any: Option<Instant>,
    full: Option<Instant>,
}

#[derive(Default)]
struct FeedState {
    log: Log,
    kids: Vec<String>,
    read_at: Option<Instant>,
}

impl RevocationFeed {
    /// A feed before its first poll.
    pub(super) fn new(pool: Pool, on_update: OnUpdate) -> Self {
        Self { pool, last_read: Mutex::default(), state: watch::Sender::default(), on_update }
    }
}

impl Auth {
    /// Reads keys and revocations, and publishes what is new.
    pub async fn poll_revocations(&self) -> Result<(), Error> {
        let RevocationFeed { pool, last_read, state, on_update } = &*self.feed;
        let mut last_read = last_read.lock().await;
        let begun = Instant::now();
        let mut conn = pool.acquire().await?;
        let ring = read_ring(&mut conn, &self.kek, Some(&self.access_tokens.ring())).await?;
        let read = last_read.read(&mut conn, begun).await?;
        drop(conn);

        let public = ring.public_keys();
        let kids: Vec<_> = public.iter().map(|key| key.kid.clone()).collect();
        state.send_if_modified(|state| {
            state.log.forget(ring.now());
            let revocations = state.log.add(read);
            let keys = (state.kids != kids).then_some(public);
            let is_news = keys.is_some() || !revocations.is_empty();
            (state.kids, state.read_at) = (kids.clone(), Some(begun));
            on_update(&Snapshot { keys, update: RevocationUpdate { revocations, kids } });
            is_news
        });
        self.access_tokens.set_ring(ring);
        Ok(())
    }

    /// Subscribes to all revocations that count, and to those that follow.
    pub(crate) fn watch_revocations(&self) -> RevocationSubscription {
        RevocationSubscription { state: self.feed.state.subscribe(), position: 0, has_begun: false }
    }
}

impl LastRead {
    async fn read(&mut self, conn: &mut PgConnection, begun: Instant) -> Result<Vec<Revocation>, sqlx::Error> {
        let is_older = |at: Option<Instant>, than| at.is_none_or(|at| at.elapsed() > than);
        let read = if is_older(self.full, FULL_READ_INTERVAL) || is_older(self.any, GAP_MAX) {
            let all = store::revocations::list(conn).await?;
            self.full = Some(begun);
            all
        } else {
            store::revocations::list_newest(conn).await?
        };
        self.any = Some(begun);
        Ok(read)
    }
}

/// One subscriber's place in the feed.
pub(crate) struct RevocationSubscription {
    state: watch::Receiver<FeedState>,
    position: usize,
    has_begun: bool,
}

impl RevocationSubscription {
    /// The next update. It is empty after a heartbeat without news, and waits while the last poll is not fresh.
    pub async fn next(&mut self) -> RevocationUpdate {
        let goes_on = self.state.borrow().log.goes_on(self.position);
        if self.has_begun && !goes_on {
            self.changed_or_heartbeat().await;
        }
        loop {
            if let Some(update) = self.take_update() {
                self.has_begun = true;
                return update;
            }
            self.changed_or_heartbeat().await;
        }
    }

    async fn changed_or_heartbeat(&mut self) {
        let _ = tokio::time::timeout(HEARTBEAT, self.state.changed()).await;
    }

    /// A slow subscriber misses nothing: the log keeps all revocations that count.
    fn take_update(&mut self) -> Option<RevocationUpdate> {
        let state = self.state.borrow_and_update();
        state.read_at.filter(|at| at.elapsed() < FRESH_MAX)?;
        let (revocations, position) = state.log.since(self.position, UPDATE_MAX);
        self.position = position;
        Some(RevocationUpdate { revocations, kids: state.kids.clone() })
    }
}
