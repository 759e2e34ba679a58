//! What verifiers have to know: which keys count, and whose tokens are to be refused. Read from the database over and over, so
//! that every replica tells what any of them has done.

use std::time::{Duration, Instant};

use sqlx::{PgConnection, PgPool};
use tokio::sync::{Mutex, watch};

use super::keys::read_ring;
use super::{Auth, Error};
use crate::domain::revocation::{Log, Revocation};
use crate::domain::signing_key::PublicKey;
use crate::store;

/// How often a listener is told that there is nothing new.
const BEAT: Duration = Duration::from_millis(500);
/// How long what was read counts as all there is. After that listeners hear nothing, and learn so that they know too little.
const FRESH: Duration = Duration::from_secs(1);
/// How often all revocations are read, and not the newest only.
const READ_ALL: Duration = Duration::from_secs(60);
/// All are read also when the last reading was this long ago: less than what the newest reach back.
const GAP_MAX: Duration = Duration::from_secs(5);

/// The most revocations in one message: whoever listens takes messages of some megabytes only.
const TOLD_MAX: usize = 1000;

/// Told of each reading, in turn, before anything is signed by keys that it speaks of for the first time.
pub(crate) type Heed = Box<dyn Fn(&News) + Send + Sync>;

/// What one reading has brought.
pub(crate) struct News {
    /// The keys that count, if they are others than before.
    pub(crate) keys: Option<Vec<PublicKey>>,
    /// What a listener is told.
    pub(crate) heard: Heard,
}

/// What a listener is told.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// What it did not know.
    pub(crate) revocations: Vec<Revocation>,
    /// The ids of all keys that count.
    pub(crate) kids: Vec<String>,
}

/// What this process knows, and who is told.
pub(super) struct Feed {
    /// A connection of its own: however many calls wait for one, verifiers hear what is revoked.
    pool: PgPool,
    /// Readings take turns, so that none undoes a later one.
    turn: Mutex<Turn>,
    known: watch::Sender<Known>,
    heed: Heed,
}

#[derive(Default)]
struct Turn {
    read_at: Option<Instant>,
    all_read_at: Option<Instant>,
}

#[derive(Default)]
struct Known {
    log: Log,
    kids: Vec<String>,
    read_at: Option<Instant>,
}

impl Feed {
    /// That has read nothing yet.
    pub(super) fn new(pool: PgPool, heed: Heed) -> Self {
        Self { pool, turn: Mutex::default(), known: watch::Sender::default(), heed }
    }
}

/// Reads the database, and tells what is new.
pub(crate) async fn poll(auth: &Auth) -> Result<(), Error> {
    let Feed { pool, turn, known, heed } = &auth.feed;
    let mut turn = turn.lock().await;
    let begun = Instant::now();
    let mut conn = pool.acquire().await?;
    let ring = read_ring(&mut conn, &auth.kek, Some(&auth.access_tokens.ring())).await?;
    let read = turn.read(&mut conn, begun).await?;
    drop(conn);

    let public = ring.public_keys();
    let kids: Vec<_> = public.iter().map(|key| key.kid.clone()).collect();
    let mut keys = None;
    known.send_if_modified(|known| {
        known.log.forget(ring.now());
        let revocations = known.log.add(read);
        keys = (known.kids != kids).then_some(public);
        let is_news = keys.is_some() || !revocations.is_empty();
        (known.kids, known.read_at) = (kids.clone(), Some(begun));
        heed(&News { keys: keys.take(), heard: Heard { revocations, kids } });
        is_news
    });
    auth.access_tokens.set_ring(ring);
    Ok(())
}

impl Turn {
    async fn read(&mut self, conn: &mut PgConnection, begun: Instant) -> Result<Vec<Revocation>, sqlx::Error> {
        let is_older = |at: Option<Instant>, than| at.is_none_or(|at| at.elapsed() > than);
        let read = if is_older(self.all_read_at, READ_ALL) || is_older(self.read_at, GAP_MAX) {
            let all = store::revocations::list(conn).await?;
            self.all_read_at = Some(begun);
            all
        } else {
            store::revocations::list_newest(conn).await?
        };
        self.read_at = Some(begun);
        Ok(read)
    }
}

/// Somebody who is told.
pub(crate) struct Listener {
    known: watch::Receiver<Known>,
    position: usize,
    has_heard: bool,
}

impl Listener {
    /// Of all that is known, and then of what comes.
    pub(crate) fn new(auth: &Auth) -> Self {
        Self { known: auth.feed.known.subscribe(), position: 0, has_heard: false }
    }

    /// What it does not know yet. After a beat without news, that there are none, if that is known.
    pub(crate) async fn next(&mut self) -> Heard {
        let goes_on = self.known.borrow().log.goes_on(self.position);
        if self.has_heard && !goes_on {
            self.news_or_beat().await;
        }
        loop {
            if let Some(heard) = self.hear() {
                self.has_heard = true;
                return heard;
            }
            self.news_or_beat().await;
        }
    }

    async fn news_or_beat(&mut self) {
        let _ = tokio::time::timeout(BEAT, self.known.changed()).await;
    }

    /// However slowly it listens, nothing is passed over: all that counts is kept.
    fn hear(&mut self) -> Option<Heard> {
        let known = self.known.borrow_and_update();
        known.read_at.filter(|at| at.elapsed() < FRESH)?;
        let (revocations, position) = known.log.since(self.position, TOLD_MAX);
        self.position = position;
        Some(Heard { revocations, kids: known.kids.clone() })
    }
}
