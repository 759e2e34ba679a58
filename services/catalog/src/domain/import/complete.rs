//! A file that lacks columns says nothing of them: what they would hold is taken from the catalog.

use std::borrow::Cow;

use super::column::Column;
use super::matching::matches;
use super::{ProductDraft, VariantDraft};
use crate::domain::product::{Product, ProductContent, VariantContent};

/// The draft, with what its file has no columns for taken from the product as it stands.
pub fn complete<'a>(draft: &'a ProductDraft, existing: Option<&Product>) -> Cow<'a, ProductDraft> {
    let Some(existing) = existing.filter(|_| Column::ALL.into_iter().any(|column| !draft.columns.has(column))) else {
        return Cow::Borrowed(draft);
    };
    let mut whole = draft.clone();
    let matched = matches(draft, &existing.variants);
    fill_product(&mut whole, &existing.content);
    let lacks = |column| !draft.columns.has(column);
    for (row, place) in whole.variants.iter_mut().zip(matched) {
        if let Some(place) = place {
            fill_variant(row, &existing.variants[place].content, &lacks);
        }
    }
    Cow::Owned(whole)
}

fn fill_product(draft: &mut ProductDraft, known: &ProductContent) {
    let lacks = |column| !draft.columns.has(column);
    let content = &mut draft.content;
    if lacks(Column::Body) {
        content.description.clone_from(&known.description);
    }
    if lacks(Column::Vendor) {
        content.vendor.clone_from(&known.vendor);
    }
    if lacks(Column::Type) {
        content.product_type.clone_from(&known.product_type);
    }
    if lacks(Column::Tags) {
        content.tags.clone_from(&known.tags);
    }
    if lacks(Column::Status) && lacks(Column::Published) {
        content.status = known.status;
    }
    if lacks(Column::Option1Value) {
        content.option_names.clone_from(&known.option_names);
    }
}

fn fill_variant(row: &mut VariantDraft, known: &VariantContent, lacks: &dyn Fn(Column) -> bool) {
    let content = &mut row.content;
    if lacks(Column::Sku) {
        content.sku.clone_from(&known.sku);
    }
    if lacks(Column::CompareAtPrice) {
        content.compare_at = known.compare_at;
    }
    if lacks(Column::Option1Value) {
        content.option_values.clone_from(&known.option_values);
    }
    if lacks(Column::Barcode) {
        content.barcode.clone_from(&known.barcode);
    }
    if lacks(Column::Grams) {
        content.weight_grams = known.weight_grams;
    }
}
