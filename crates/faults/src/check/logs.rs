//! What the processes' logs tell.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;

use kontor_runtime::Error;

use super::{Found, Violations};

/// What is counted, by a part of the line.
const COUNTED: [(&str, &str); 8] = [
    ("deaths before a step", "dies at a failpoint at=Before"),
    ("deaths inside a transaction", "dies at a failpoint at=Inside"),
    ("deaths after a step", "dies at a failpoint at=After"),
    ("replays", "was repeated"),
    ("take-overs", "took an order over"),
    ("fenced writes", "a fenced write was refused"),
    ("late reserves refused", "a late reserve was refused"),
    ("expired holds", "a hold has expired"),
];

/// What there must be none of.
const FORBIDDEN: [&str; 5] = ["panicked", "deadlock detected", "40P01", "internal fault", "the database refused"];
/// More of them than that are not worth telling.
const TOLD_MAX: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Logs {
    pub(crate) counts: BTreeMap<&'static str, u64>,
    /// Lines that there must be none of.
    pub(crate) bad: Vec<String>,
}

pub(crate) fn read(folder: &Path) -> Result<Logs, Error> {
    let mut logs = Logs::default();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for line in BufReader::new(std::fs::File::open(&path)?).split(b'\n') {
            logs.add(&name, &String::from_utf8_lossy(&line?));
        }
    }
    Ok(logs)
}

impl Logs {
    pub(crate) fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }

    /// Whether each of what is counted was there.
    pub(crate) fn have_all(&self) -> bool {
        COUNTED.iter().all(|(what, _)| self.count(what) > 0)
    }

    fn add(&mut self, process: &str, line: &str) {
        for (what, _) in COUNTED.iter().filter(|(_, part)| contains(line, part)) {
            *self.counts.entry(what).or_default() += 1;
        }
        if self.bad.len() < TOLD_MAX && FORBIDDEN.iter().any(|word| line.contains(word)) {
            self.bad.push(format!("{process}: {line}"));
        }
    }
}

/// Whether the line has all words of the part: fields may stand between them, in any order.
fn contains(line: &str, part: &str) -> bool {
    match part.split_once(" at=") {
        Some((message, at)) => line.contains(message) && line.contains(&format!("at={at}")),
        None => line.contains(part),
    }
}

pub(super) fn check(found: &Found, violations: &mut Violations) {
    found.logs.bad.iter().for_each(|line| violations.add("no panic, deadlock or internal fault", line.clone()));
}

#[cfg(test)]
mod tests {
    use super::super::sound::{broken, sound};

    #[test]
    fn lines_are_counted_by_what_they_say() {
        let mut found = sound();
        found.logs.add("order-1", "WARN dies at a failpoint failpoint=\"order.accept\" at=Inside");
        found.logs.add("order-1", "INFO PlaceOrder was repeated key=1");
        assert_eq!(found.logs.count("deaths inside a transaction"), 1);
        assert_eq!(found.logs.count("deaths after a step"), 0);
        assert_eq!(found.logs.count("replays"), 1);
        assert_eq!(broken(&found), Vec::<&str>::new());
    }

    #[test]
    fn a_panic_and_a_deadlock_are_noticed() {
        for line in ["ERROR panicked panic=..", "WARN error=deadlock detected", "ERROR internal fault error=x"] {
            let mut found = sound();
            found.logs.add("order-1", line);
            assert_eq!(broken(&found), ["no panic, deadlock or internal fault"], "{line}");
        }
    }
}
