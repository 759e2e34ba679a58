//! What loading a draft would do to the catalog: a comparison, without any effect.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::column::Column;
use super::issue::{Issue, quoted};
use super::limits::VARIANTS_MAX;
use super::matching::matches;
use super::{ProductDraft, VariantDraft};
use crate::domain::product::{Product, Variant, VariantContent};

/// What is to be done for one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    pub is_new: bool,
    /// What the editors say of the product, apart from its variants, differs.
    pub differs: bool,
    pub added: Vec<(i32, &'a VariantDraft)>,
    pub changed: Vec<Placed<'a>>,
    /// Variants that are the same, but change their place.
    pub moved: Vec<Placed<'a>>,
    /// How many variants of the file are the same.
    pub same: usize,
}

/// A variant as it is to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed<'a> {
    pub id: Uuid,
    pub position: i32,
    pub content: &'a VariantContent,
}

impl Plan<'_> {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let touched = self.added.len() + self.changed.len() + self.moved.len();
        !self.is_new && !self.differs && touched == 0
    }
}

/// Compares a draft with the product of its handle; or says why the two do not go together.
pub fn plan<'a>(draft: &'a ProductDraft, existing: Option<&'a Product>) -> Result<Plan<'a>, Vec<Issue>> {
    let known = existing.map_or(&[][..], |product| &product.variants);
    let matched = matches(draft, known);
    let order = order(known, &matched);
    let issues = contradictions(draft, known, &order);
    if !issues.is_empty() {
        return Err(issues);
    }
    let differs = existing.is_some_and(|product| product.content != draft.content);
    let (added, changed, moved) = (Vec::new(), Vec::new(), Vec::new());
    let mut plan = Plan { is_new: existing.is_none(), differs, added, changed, moved, same: 0 };
    for (position, slot) in (0_i32..).zip(&order) {
        plan.place(position, slot, draft, known);
    }
    Ok(plan)
}

impl<'a> Plan<'a> {
    fn place(&mut self, position: i32, slot: &Slot, draft: &'a ProductDraft, known: &'a [Variant]) {
        let named = slot.row.map(|row| &draft.variants[row]);
        let Some(place) = slot.known else {
            self.added.extend(named.map(|named| (position, named)));
            return;
        };
        let content = named.map_or(&known[place].content, |named| &named.content);
        let placed = Placed { id: known[place].name.id, position, content };
        let is_same = *content == known[place].content;
        self.same += usize::from(is_same && named.is_some());
        if !is_same {
            self.changed.push(placed);
        } else if usize::try_from(position) != Ok(place) {
            self.moved.push(placed);
        }
    }
}

/// A place among a product's variants: a row of the file, a variant that is there, or both.
#[derive(Clone, Copy)]
struct Slot {
    row: Option<usize>,
    known: Option<usize>,
}

/// The order of the file. A variant that it does not name stays behind the one that it stood behind, or in front.
fn order(known: &[Variant], matched: &[Option<usize>]) -> Vec<Slot> {
    let mut order: Vec<Slot> = matched.iter().enumerate().map(|(row, &known)| Slot { row: Some(row), known }).collect();
    let named: HashSet<usize> = matched.iter().flatten().copied().collect();
    for place in (0..known.len()).filter(|place| !named.contains(place)) {
        let before = place.checked_sub(1);
        let at = order.iter().position(|slot| before.is_some() && slot.known == before).map_or(0, |at| at + 1);
        order.insert(at, Slot { row: None, known: Some(place) });
    }
    order
}

/// Variants of the file that do not go together with those that stay although the file does not name them.
fn contradictions(draft: &ProductDraft, known: &[Variant], order: &[Slot]) -> Vec<Issue> {
    let staying = order.iter().filter(|slot| slot.row.is_none()).filter_map(|slot| known.get(slot.known?));
    let staying: HashMap<_, _> = staying.map(|variant| (&variant.content.option_values, variant)).collect();
    let same_options = |row: &VariantDraft| {
        let variant = staying.get(&row.content.option_values)?;
        let sku = variant.content.sku.as_deref().unwrap_or_default();
        let message = format!("the catalog has a variant with the same options and the SKU {}", quoted(sku));
        Some(Issue::error(row.line, Column::Sku, message))
    };
    let mut issues: Vec<Issue> = draft.variants.iter().filter_map(same_options).collect();
    let options = draft.content.option_names.len();
    let others = staying.keys().copied().chain(draft.variants.iter().map(|row| &row.content.option_values));
    if let Some(other) = others.into_iter().find(|values| values.len() != options) {
        let message = format!("the product would have {options} options, and a variant with {}", other.len());
        issues.push(Issue::error(draft.line, Column::Option1Name, message));
    }
    if order.len() > VARIANTS_MAX {
        let message = format!("with those in the catalog the product has more than {VARIANTS_MAX} variants");
        issues.push(Issue::row(draft.line, message));
    }
    issues
}

/// SKUs of a draft that belong to other products, by the handles of their owners.
pub fn foreign_skus(draft: &ProductDraft, owners: &HashMap<String, String>) -> Vec<Issue> {
    let foreign = |row: &VariantDraft| {
        let owner = owners.get(row.content.sku.as_ref()?).filter(|owner| **owner != draft.content.handle)?;
        let message = format!("belongs to the product {} in the catalog", quoted(owner));
        Some(Issue::error(row.line, Column::Sku, message))
    };
    draft.variants.iter().filter_map(foreign).collect()
}

/// That an SKU of a draft was given to another product at the same moment.
pub fn lost_sku(draft: &ProductDraft) -> Issue {
    Issue::error(draft.line, Column::Sku, "one of the product's SKUs was given to another product just now")
}
