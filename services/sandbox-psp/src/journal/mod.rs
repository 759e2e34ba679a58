//! The append-only journal: every decision is on the disk before it is answered, and a restart reads them all again.

mod file;
mod line;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::Path;

use tokio::sync::mpsc::{self, Permit};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::domain::{Entry, Ledger};
pub(crate) use file::JournalError;

/// How many entries may wait for the writer; further calls wait for a place.
const QUEUE: usize = 1024;

pub(crate) struct Journal {
    queue: mpsc::Sender<Entry>,
    written: watch::Receiver<u64>,
}

/// The writer has ended: nothing can be written down any more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the journal is closed")]
pub(crate) struct Closed;

/// The thread that writes. It ends when the [`Journal`] is dropped, or with the error that keeps it from writing.
pub(crate) type Writer = JoinHandle<io::Result<()>>;

impl Journal {
    /// Reads the ledger from the file and starts the writer. Without a path, nothing is kept. Blocks while it reads.
    pub(crate) fn open(path: Option<&Path>) -> Result<(Self, Ledger, Writer), JournalError> {
        let (file, ledger) = match path.map(file::open).transpose()? {
            Some((file, ledger)) => (Some(file), ledger),
            None => (None, Ledger::default()),
        };
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (done, written) = watch::channel(0);
        let writer = tokio::task::spawn_blocking(move || writer::write(file, waiting, done));
        Ok((Self { queue, written }, ledger, writer))
    }

    /// Two places in the queue, as a call needs at most: it may end a review before it comes to its own decision. Having
    /// them first, a caller can decide and queue under one lock, without waiting in it. They come together, so that callers
    /// with one place each never wait for each other.
    pub(crate) async fn places(&self) -> Result<[Permit<'_, Entry>; 2], Closed> {
        let mut places = self.queue.reserve_many(2).await.map_err(|_| Closed)?;
        let (Some(first), Some(second)) = (places.next(), places.next()) else { return Err(Closed) };
        Ok([first, second])
    }

    /// Waits until so many entries, counted from the start of this process, are on the disk.
    pub(crate) async fn written(&self, position: u64) -> Result<(), Closed> {
        let mut written = self.written.clone();
        written.wait_for(|at| *at >= position).await.map(drop).map_err(|_| Closed)
    }
}
