//! A product file in the format of Shopify's export, read into drafts: one for each product, with every bad row named.
//!
//! [`read`] goes from bytes to drafts, [`plan`] from a draft and the product as it stands to what is to be done.

mod cells;
mod column;
mod complete;
mod issue;
mod limits;
mod lines;
mod matching;
mod options;
pub mod plan;
mod product;
mod report;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use kontor_types::Currency;

pub use complete::complete;

use super::product::{ProductContent, VariantContent};
use column::{Column, Columns};
pub use issue::{Issue, Issues, Severity};
pub use report::{ImportReport, Loaded};
pub use table::Malformed;
use table::Row;

/// A product as a file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductDraft {
    /// The line on which its first row begins; the header is line 1.
    pub line: u64,
    pub content: ProductContent,
    /// Of what the file says something: what it has no columns for stays as it is.
    pub columns: Columns,
    /// Its variants, in the order of the file. At least one.
    pub variants: Vec<VariantDraft>,
}

/// A variant as a file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantDraft {
    pub line: u64,
    pub content: VariantContent,
    /// Units in stock, taken when the variant is created.
    pub quantity: i64,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFile {
    /// The products without errors, in the order of their first rows.
    pub drafts: Vec<ProductDraft>,
    pub refused: usize,
    pub issues: Issues,
}

/// Reads a file whose prices are in one currency. Each handle in it becomes a draft, or is refused.
pub fn read(bytes: &[u8], currency: Currency) -> Result<ProductFile, Malformed> {
    let mut file = ProductFile::default();
    let mut rows = table::read(bytes)?;
    note_repeated_skus(&mut rows);
    for rows in by_handle(rows, &mut file.issues) {
        let Some(first) = rows.first() else { continue };
        let (draft, found) = product::read(first, &rows, currency);
        file.refused += usize::from(draft.is_none());
        file.drafts.extend(draft);
        file.issues.extend(found);
    }
    Ok(file)
}

/// An SKU is unique in the catalog, and so in a file.
fn note_repeated_skus(rows: &mut [Row]) {
    let mut lines: HashMap<String, u64> = HashMap::new();
    for row in rows.iter_mut().filter(|row| row.fault.is_none() && !row.get(Column::Sku).is_empty()) {
        let earlier = *lines.entry(row.get(Column::Sku).to_owned()).or_insert(row.line);
        if earlier != row.line {
            row.fault = Some(Issue::error(row.line, Column::Sku, format!("is on line {earlier} already")));
        }
    }
}

/// The rows of each product together, wherever in the file they stand. A row without a handle belongs to none.
fn by_handle(rows: Vec<Row>, issues: &mut Issues) -> Vec<Vec<Row>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let handle = row.get(Column::Handle);
        if handle.is_empty() {
            let missing = Issue::error(row.line, Column::Handle, "is missing");
            issues.extend(vec![row.fault.unwrap_or(missing)]);
            continue;
        }
        let place = *places.entry(handle.to_owned()).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(row);
    }
    groups
}
