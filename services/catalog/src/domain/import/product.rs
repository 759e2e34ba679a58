//! The rows of one handle, read into one product.

use kontor_types::Currency;
use kontor_types::ids::canonical;

use super::column::Column;
use super::issue::{Issue, Severity};
use super::limits::{DESCRIPTION_MAX_BYTES, TAGS_MAX, TEXT_MAX_CHARS, VARIANTS_MAX};
use super::table::Row;
use super::{ProductDraft, VariantDraft, cells, options};
use crate::domain::product::{ProductContent, VariantContent};

/// The product, unless an error keeps it out; and all that was found in its rows, of which there is at least one.
pub(super) fn read(first: &Row, rows: &[Row], currency: Currency) -> (Option<ProductDraft>, Vec<Issue>) {
    let mut notes: Vec<Issue> = rows.iter().filter_map(|row| row.fault.clone()).collect();
    if !notes.is_empty() {
        // The cells of such a row may stand in each other's places: what else seems wrong may not be.
        return (None, notes);
    }
    let later = rows.iter().skip(1);
    let variants: Vec<&Row> = std::iter::once(first).chain(later.filter(|row| row.has_variant())).collect();
    note_other_titles(first, &variants, &mut notes);
    if let Some(row) = variants.get(VARIANTS_MAX) {
        notes.push(Issue::row(row.line, format!("the product has more than {VARIANTS_MAX} variants")));
    }
    let option_names = options::names(first, &variants, &mut notes);
    let variants = variants.iter().map(|row| variant(row, &option_names, currency, &mut notes)).collect::<Vec<_>>();
    let values = variants.iter().map(|variant| (variant.line, variant.content.option_values.as_slice()));
    options::note_duplicates(values, &mut notes);
    let content = content(first, option_names, &mut notes);
    let draft = ProductDraft { line: first.line, content, columns: first.columns, variants };
    let is_refused = notes.iter().any(|issue| issue.severity == Severity::Error);
    ((!is_refused).then_some(draft), notes)
}

fn content(row: &Row, option_names: Vec<String>, notes: &mut Vec<Issue>) -> ProductContent {
    ProductContent {
        handle: handle(row, notes),
        title: title(row, notes),
        description: description(row, notes),
        status: cells::status(row, notes),
        vendor: cells::text(row, Column::Vendor, notes),
        product_type: cells::text(row, Column::Type, notes),
        tags: tags(row, notes),
        option_names,
    }
}

fn variant(row: &Row, option_names: &[String], currency: Currency, notes: &mut Vec<Issue>) -> VariantDraft {
    let quantity = cells::quantity(row, notes);
    cells::stock_policy(row, quantity, notes);
    let sku = cells::text(row, Column::Sku, notes);
    let content = VariantContent {
        sku: (!sku.is_empty()).then_some(sku),
        price: cells::price(row, currency, notes),
        compare_at: cells::amount(row, Column::CompareAtPrice, currency, notes),
        option_values: options::values(row, option_names, notes),
        barcode: cells::text(row, Column::Barcode, notes),
        weight_grams: cells::grams(row, notes),
    };
    VariantDraft { line: row.line, content, quantity }
}

/// A handle stands where an id does, and must not be taken for one, nor for the "-" that means any product.
fn handle(row: &Row, notes: &mut Vec<Issue>) -> String {
    let handle = row.get(Column::Handle);
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let refused = if handle.len() > TEXT_MAX_CHARS {
        format!("is longer than {TEXT_MAX_CHARS} characters")
    } else if !handle.bytes().all(is_plain) {
        "may hold lower-case letters from a to z, digits and hyphens only".into()
    } else if handle == "-" || canonical(handle).is_some() {
        "means something else where a handle stands".into()
    } else {
        return handle.to_owned();
    };
    notes.push(Issue::error(row.line, Column::Handle, refused));
    String::new()
}

fn title(row: &Row, notes: &mut Vec<Issue>) -> String {
    let title = cells::text(row, Column::Title, notes);
    if title.is_empty() {
        notes.push(Issue::error(row.line, Column::Title, "is missing on the product's first row"));
    }
    title
}

/// Two products that share a handle by mistake show by their titles.
fn note_other_titles(first: &Row, rows: &[&Row], notes: &mut Vec<Issue>) {
    let title = first.get(Column::Title);
    for row in rows.iter().filter(|row| !row.get(Column::Title).is_empty() && row.get(Column::Title) != title) {
        let message = format!("differs from the title on line {}, which counts", first.line);
        notes.push(Issue::warning(row.line, Column::Title, message));
    }
}

fn description(row: &Row, notes: &mut Vec<Issue>) -> String {
    let text = row.get(Column::Body);
    if text.len() > DESCRIPTION_MAX_BYTES {
        notes.push(Issue::error(row.line, Column::Body, format!("is longer than {DESCRIPTION_MAX_BYTES} bytes")));
    }
    text.to_owned()
}

fn tags(row: &Row, notes: &mut Vec<Issue>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in row.get(Column::Tags).split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
        if tag.chars().count() > TEXT_MAX_CHARS {
            notes.push(Issue::error(
                row.line,
                Column::Tags,
                format!("has a tag of more than {TEXT_MAX_CHARS} characters"),
            ));
        }
        if tags.len() == TAGS_MAX {
            notes.push(Issue::error(row.line, Column::Tags, format!("has more than {TAGS_MAX} tags")));
            break;
        }
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    tags
}
