//! What is wrong in a file: collected, counted, and kept as far as people can read it.

use super::column::Column;
use super::limits::ISSUES_MAX;

/// Something wrong in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// The line on which the row begins; the header is line 1.
    pub line: u64,
    /// The column's name; empty if the whole row is meant.
    pub column: String,
    pub message: String,
    /// Whether the product stays out because of it.
    pub severity: Severity,
}

/// What follows from an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The product goes in; the message says how the value was taken.
    Warning,
    Error,
}

impl Issue {
    /// Keeps the product out because of one of its cells.
    pub fn error(line: u64, column: Column, message: impl Into<String>) -> Self {
        Self { line, column: column.name().into(), message: message.into(), severity: Severity::Error }
    }

    /// Says how a cell was taken.
    pub fn warning(line: u64, column: Column, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(line, column, message) }
    }

    /// Keeps the product out because of a row as a whole.
    pub fn row(line: u64, message: impl Into<String>) -> Self {
        Self { line, column: String::new(), message: message.into(), severity: Severity::Error }
    }
}

/// The issues of a whole file: the first [`ISSUES_MAX`] in the order of the file, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issues {
    kept: Vec<Issue>,
    count: usize,
}

impl Issues {
    /// Adds what was found, in any order.
    pub fn extend(&mut self, found: Vec<Issue>) {
        self.count += found.len();
        self.kept.extend(found);
        if self.kept.len() > 2 * ISSUES_MAX {
            self.cut();
        }
    }

    /// Those that were kept, and how many there were in all.
    pub fn known(kept: Vec<Issue>, count: usize) -> Self {
        Self { kept, count }
    }

    /// How many there were in all.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The first ones, in the order of the file.
    pub fn into_first(mut self) -> Vec<Issue> {
        self.cut();
        self.kept
    }

    fn cut(&mut self) {
        self.kept.sort_by_key(|issue| issue.line);
        self.kept.truncate(ISSUES_MAX);
    }
}

/// Text of the file as a message quotes it: short, on one line, with odd characters escaped.
pub fn quoted(text: &str) -> String {
    const SHOWN_CHARS: usize = 40;
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_are_kept_and_all_are_counted() {
        let mut issues = Issues::default();
        for line in (1..=5_000).rev() {
            issues.extend(vec![Issue::row(line, "bad")]);
        }
        assert_eq!(issues.count(), 5_000);
        let lines: Vec<u64> = issues.into_first().iter().map(|issue| issue.line).collect();
        assert_eq!(lines, (1..=1_000).collect::<Vec<_>>());
    }
}
