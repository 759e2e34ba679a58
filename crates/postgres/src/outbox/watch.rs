//! One reader's way through the events, for as long as it listens.

use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::try_unfold;
use tokio::sync::watch::Receiver;
use tokio::time::{sleep, timeout};

use super::feed::pause;
use super::{BadCursor, Cursor, Feed, OutboxEvent};
use crate::StoreError;

/// How long a reader hears nothing at most. Then it is told that there is nothing.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event that is kept.
    Oldest,
    /// With the next event to come.
    Newest,
    /// With the one after the cursor.
    After(Cursor),
}

impl Start {
    /// From a request's `cursor`; an empty one says nothing, and `otherwise` holds.
    ///
    /// # Errors
    /// When no service gives such cursors out.
    pub fn from_request(cursor: &str, otherwise: Self) -> Result<Self, BadCursor> {
        if cursor.is_empty() { Ok(otherwise) } else { Cursor::from_wire(cursor).map(Self::After) }
    }
}

/// Why events can't be watched, or not any longer.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error("cursor: {0}")]
    Cursor(#[from] BadCursor),
    #[error("the service is stopping")]
    Stopping,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for WatchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Some events, and where to go on after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// In the order of their positions; none if there is nothing more for now.
    pub events: Vec<OutboxEvent>,
    pub cursor: Cursor,
}

impl Batch {
    /// The events as messages.
    pub fn map<T>(&self, message: impl Fn(&OutboxEvent) -> T) -> Vec<T> {
        self.events.iter().map(message).collect()
    }
}

/// A reader of the events. Holds a page at most, and no connection while it waits.
#[derive(Debug)]
pub struct Watch {
    feed: Feed,
    head: Receiver<i64>,
    position: i64,
    patience: Duration,
}

impl Feed {
    /// Begins to read.
    ///
    /// # Errors
    /// When the cursor was never given out, or the database can't tell where the events end.
    pub async fn watch(&self, start: Start) -> Result<Watch, WatchError> {
        let stopped = self.stop().run_until_cancelled(self.position(start)).await;
        let position = stopped.unwrap_or(Err(WatchError::Stopping))?;
        // The first message comes at once, so that a reader knows where it stands before anything happens.
        Ok(Watch { feed: self.clone(), head: self.known_head(), position, patience: Duration::ZERO })
    }

    async fn position(&self, start: Start) -> Result<i64, WatchError> {
        match start {
            Start::Oldest => Ok(0),
            Start::Newest => Ok(self.head().await?),
            Start::After(Cursor(position)) => {
                // Another process may have given the cursor out, and know more than this one.
                let known = *self.known_head().borrow();
                let given_out = position <= known || position <= self.head().await?;
                if given_out { Ok(position) } else { Err(BadCursor.into()) }
            }
        }
    }
}

impl Watch {
    /// The next events. Waits for them, but not for longer than a heartbeat; then there are none. While the database is away
    /// and events are known to be there, it waits for as long as it takes.
    ///
    /// # Errors
    /// When the service stops, or the database refuses.
    pub async fn next(&mut self) -> Result<Batch, WatchError> {
        let stop = self.feed.stop().clone();
        stop.run_until_cancelled(self.wait_and_read()).await.unwrap_or(Err(WatchError::Stopping))
    }

    async fn wait_and_read(&mut self) -> Result<Batch, WatchError> {
        let patience = std::mem::replace(&mut self.patience, HEARTBEAT);
        let position = self.position;
        let news = timeout(patience, self.head.wait_for(|head| *head > position)).await;
        let head = news.map(|head| head.map(|head| *head));
        let events = match head {
            Err(_nothing) => Vec::new(),
            Ok(Err(_ended)) => return Err(WatchError::Stopping),
            Ok(Ok(head)) => self.read(head).await?,
        };
        Ok(Batch { events, cursor: Cursor(self.position) })
    }

    /// Reads a page. If there is none although the head says so, then what was there is not kept any more, and is passed over.
    async fn read(&mut self, head: i64) -> Result<Vec<OutboxEvent>, WatchError> {
        let mut failures = 0;
        loop {
            match self.feed.page(self.position).await {
                Ok(events) => {
                    self.position = events.last().map_or(head, |event| event.position);
                    return Ok(events);
                }
                Err(error) => match StoreError::from(error) {
                    // The feed's own task has it in the log.
                    StoreError::Outage(_) => failures += 1,
                    refused => return Err(refused.into()),
                },
            }
            sleep(pause(failures)).await;
        }
    }

    /// The batches as a stream of messages, which ends with the first error.
    pub fn into_stream<T, E>(
        self,
        message: fn(Batch) -> T,
        refused: fn(WatchError) -> E,
    ) -> impl Stream<Item = Result<T, E>> + Send + use<T, E>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        try_unfold(self, move |mut watch| async move {
            let batch = watch.next().await.map_err(refused)?;
            Ok(Some((message(batch), watch)))
        })
    }
}
