//! The one writer of the journal. It takes all entries that wait, writes them, brings them to the disk together, and then
//! tells how far it is.

use std::fs::File;
use std::io::{self, Write};

use tokio::sync::{mpsc, watch};

use super::line;
use crate::domain::Entry;

/// The most entries that one fsync brings to the disk.
const BATCH: usize = 256;

/// Writes until all senders are gone. Blocks its thread. Without a file it only counts.
pub(super) fn write(
    file: Option<File>,
    mut queue: mpsc::Receiver<Entry>,
    written: watch::Sender<u64>,
) -> io::Result<()> {
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), Vec::new());
    loop {
        let count = queue.blocking_recv_many(&mut batch, BATCH);
        if count == 0 {
            return Ok(());
        }
        if let Some(file) = &file {
            append(file, &batch, &mut bytes)?;
        }
        batch.clear();
        written.send_modify(|position| *position += count as u64);
    }
}

fn append(mut file: &File, batch: &[Entry], bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.clear();
    for entry in batch {
        line::write(entry, bytes)?;
    }
    file.write_all(bytes)?;
    file.sync_data()
}
