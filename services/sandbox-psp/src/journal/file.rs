//! Opening the journal's file: what it holds becomes the ledger again.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::line;
use crate::domain::{Cause, Entry, Ledger};

#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("the journal can't be used")]
    Io(#[from] io::Error),
    #[error("another process writes to this journal")]
    InUse,
    /// A line in it was not written by this program.
    #[error("line {number} of the journal is wrong: {why}")]
    BadLine {
        /// Its number; the first is 1.
        number: u64,
        why: String,
    },
}

/// Who decides about payments is nobody else's business: only the owner reads the file.
const PRIVATE: u32 = 0o600;

/// Opens the file, or makes it, and reads what it holds. A last line that has no line feed is what a crash left of a decision
/// that nobody has had an answer to: it is cut off.
pub(super) fn open(path: &Path) -> Result<(File, Ledger), JournalError> {
    let file = OpenOptions::new().read(true).append(true).create(true).mode(PRIVATE).open(path)?;
    // It may be one of an earlier version.
    file.set_permissions(Permissions::from_mode(PRIVATE))?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => JournalError::InUse,
        TryLockError::Error(error) => JournalError::Io(error),
    })?;
    let (ledger, whole) = replay(&mut BufReader::new(&file))?;
    let torn = file.metadata()?.len().saturating_sub(whole);
    if torn > 0 {
        tracing::warn!(bytes = torn, "cut a torn last line off the journal");
        file.set_len(whole)?;
        file.sync_all()?;
    }
    sync_folder(path)?;
    Ok((file, ledger))
}

/// A new file is only sure to be found again once its folder is written.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The ledger that the lines make, and how many bytes of whole lines there are.
fn replay(lines: &mut impl BufRead) -> Result<(Ledger, u64), JournalError> {
    let (mut ledger, mut whole, mut number, mut line) = (Ledger::default(), 0, 0, Vec::new());
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)? as u64;
        if line.last() != Some(&b'\n') {
            return Ok((ledger, whole));
        }
        number += 1;
        let entry = line::read(&line).and_then(|entry| check(&ledger, entry));
        ledger.apply(entry.map_err(|why| JournalError::BadLine { number, why })?);
        whole += length;
    }
}

fn check(ledger: &Ledger, entry: Entry) -> Result<Entry, String> {
    match &entry.cause {
        Cause::Call(request) if ledger.answer(&request.key).is_some() => Err("its key was answered before".into()),
        Cause::Call(_) | Cause::Review => Ok(entry),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"time":"2025-06-01T12:00:00Z","call":"void","key":"k","authorization_key":"a","state":"VOIDED","payment":{"id":"01972b9e-6c00-7000-8000-000000000000","create_time":"2025-06-01T12:00:00Z","captured_minor":0,"refunded_minor":0}}"#;

    fn open_text(text: &str) -> (tempfile::TempDir, Result<(File, Ledger), JournalError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, text).unwrap();
        (folder, open(&path))
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_rest_is_kept() {
        let (folder, opened) = open_text(&format!("{LINE}\n{}", &LINE[..40]));
        assert!(opened.unwrap().1.answer("k").is_some());
        assert_eq!(std::fs::read_to_string(folder.path().join("journal")).unwrap(), format!("{LINE}\n"));
    }

    #[test]
    fn any_other_bad_line_is_named() {
        let wrong_state = LINE.replace("VOIDED", "LOST");
        for bad in ["", "{}", "[]", &wrong_state, LINE] {
            let (_folder, opened) = open_text(&format!("{LINE}\n{bad}\n{LINE}\n"));
            let message = opened.unwrap_err().to_string();
            assert!(message.starts_with("line 2 of the journal is wrong: "), "{bad}: {message}");
        }
    }

    #[test]
    fn one_process_at_a_time_has_the_journal() {
        let (folder, _held) = open_text("");
        assert!(matches!(open(&folder.path().join("journal")), Err(JournalError::InUse)));
    }
}
