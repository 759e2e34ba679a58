//! What the variants of a product differ in.

use std::collections::HashMap;

use super::cells::text;
use super::column::Column;
use super::issue::Issue;
use super::table::Row;

/// How the export writes a product that comes in one way only.
const NO_OPTION: (&str, &str) = ("Title", "Default Title");

/// The names of a product's options, from its first row; none if it comes in one way only.
pub(super) fn names(first: &Row, variants: &[&Row], notes: &mut Vec<Issue>) -> Vec<String> {
    if comes_in_one_way(first, variants) {
        return Vec::new();
    }
    let mut names: Vec<String> = Vec::new();
    for (column, _) in Column::OPTIONS {
        let name = text(first, column, notes);
        if names.contains(&name) && !name.is_empty() {
            notes.push(Issue::error(first.line, column, "names the same option again"));
        }
        names.push(name);
    }
    let used = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    names.truncate(used);
    note_unnamed(first, variants, &names, notes);
    names
}

fn comes_in_one_way(first: &Row, variants: &[&Row]) -> bool {
    let [(name, value), others @ ..] = Column::OPTIONS;
    let is_unset = |row: &Row, column| row.get(column).is_empty();
    let has_default = |row: &Row| is_unset(row, value) || row.get(value) == NO_OPTION.1;
    (is_unset(first, name) || first.get(name) == NO_OPTION.0)
        && others.iter().all(|&(name, _)| is_unset(first, name))
        && variants.iter().all(|row| has_default(row) && others.iter().all(|&(_, value)| is_unset(row, value)))
}

/// An option with values, or before another one, needs a name.
fn note_unnamed(first: &Row, variants: &[&Row], names: &[String], notes: &mut Vec<Issue>) {
    for (index, (name, value)) in Column::OPTIONS.into_iter().enumerate() {
        let is_named = names.get(index).is_some_and(|name| !name.is_empty());
        let has_values = variants.iter().any(|row| !row.get(value).is_empty());
        if !is_named && (has_values || index < names.len()) {
            notes.push(Issue::error(first.line, name, "is missing on the product's first row"));
        }
    }
}

/// A variant's value of each option.
pub(super) fn values(row: &Row, names: &[String], notes: &mut Vec<Issue>) -> Vec<String> {
    let columns = Column::OPTIONS.into_iter().zip(names);
    let value = |((_, column), name): ((Column, Column), &String)| {
        let value = text(row, column, notes);
        if value.is_empty() && !name.is_empty() {
            notes.push(Issue::error(row.line, column, "is missing: each variant has a value of each option"));
        }
        value
    };
    columns.map(value).collect()
}

/// Notes variants that nobody could tell apart.
pub(super) fn note_duplicates<'v>(variants: impl Iterator<Item = (u64, &'v [String])>, notes: &mut Vec<Issue>) {
    let mut seen = HashMap::new();
    for (line, values) in variants {
        let earlier = *seen.entry(values).or_insert(line);
        if earlier != line {
            let message = format!("the product has a variant with the same options on line {earlier}");
            notes.push(Issue::error(line, Column::Option1Value, message));
        }
    }
}
