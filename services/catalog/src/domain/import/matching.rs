//! Which variant of the catalog a row of the file means.

use std::collections::HashSet;

use super::{ProductDraft, VariantDraft};
use crate::domain::product::{Variant, VariantContent};

/// For each row the variant that it means: by its SKU, or by its options if one of the two has no SKU.
pub(super) fn matches(draft: &ProductDraft, known: &[Variant]) -> Vec<Option<usize>> {
    let find = |is_it: &dyn Fn(&VariantContent) -> bool| known.iter().position(|variant| is_it(&variant.content));
    let by_sku = |row: &VariantDraft| row.content.sku.as_ref().and_then(|sku| find(&|c| c.sku.as_ref() == Some(sku)));
    let mut matched: Vec<Option<usize>> = draft.variants.iter().map(by_sku).collect();
    let mut taken: HashSet<usize> = matched.iter().flatten().copied().collect();
    for (row, place) in draft.variants.iter().zip(&mut matched).filter(|(_, place)| place.is_none()) {
        let is_it = |content: &VariantContent| {
            let may = row.content.sku.is_none() || content.sku.is_none();
            may && content.option_values == row.content.option_values
        };
        *place = find(&is_it).filter(|place| taken.insert(*place));
    }
    matched
}
