//! What was measured, in columns.

use std::io::{self, Write};
use std::time::Duration;

/// Rows of cells, the first one its head.
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        Self(vec![columns.iter().map(ToString::to_string).collect()])
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    /// A row of how many there were, the median, the 99th of a hundred, and the longest.
    pub(crate) fn times(&mut self, name: &str, mut times: Vec<Duration>) {
        times.sort_unstable();
        let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len().saturating_sub(1)));
        let text = |time: Option<&Duration>| time.map_or_else(|| "-".into(), |time| readable(*time));
        self.row([name.into(), times.len().to_string(), text(at(50)), text(at(99)), text(times.last())]);
    }

    /// To standard output, the first column to the left and the others to the right.
    pub(crate) fn print(&self) -> io::Result<()> {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let width =
            |column: usize| self.0.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
        let mut out = io::stdout().lock();
        for row in &self.0 {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                match column {
                    0 => write!(out, "{cell:<width$}")?,
                    _ => write!(out, "  {cell:>width$}")?,
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

fn readable(time: Duration) -> String {
    match time.as_nanos() {
        nanos @ ..10_000 => format!("{nanos} ns"),
        nanos @ ..10_000_000 => format!("{} µs", nanos / 1000),
        nanos => format!("{} ms", nanos / 1_000_000),
    }
}
