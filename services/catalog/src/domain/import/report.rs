//! What an import did.

use super::plan::Plan;
use super::{Issue, Issues};

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    pub products_created: usize,
    pub products_updated: usize,
    pub products_unchanged: usize,
    /// Products left as they were because of a bad row.
    pub products_refused: usize,
    pub variants_created: usize,
    pub variants_updated: usize,
    pub variants_unchanged: usize,
    pub issues: Issues,
}

/// What became of one product.
pub enum Loaded {
    /// It is in the catalog as the file describes it.
    Done(Tally),
    Refused(Vec<Issue>),
}

/// What was done for one product.
pub struct Tally {
    is_new: bool,
    is_same: bool,
    created: usize,
    updated: usize,
    unchanged: usize,
}

impl Loaded {
    /// A product whose plan was carried out.
    pub fn done(plan: &Plan<'_>) -> Self {
        let (created, updated, unchanged) = (plan.added.len(), plan.changed.len(), plan.same);
        Self::Done(Tally { is_new: plan.is_new, is_same: plan.is_empty(), created, updated, unchanged })
    }
}

impl ImportReport {
    /// Of a file that was read: with the products that its bad rows keep out.
    pub fn new(refused: usize, issues: Issues) -> Self {
        Self { products_refused: refused, issues, ..Self::default() }
    }

    /// Counts one product.
    pub fn add(&mut self, loaded: Loaded) {
        match loaded {
            Loaded::Done(tally) => self.count(&tally),
            Loaded::Refused(issues) => {
                self.products_refused += 1;
                self.issues.extend(issues);
            }
        }
    }

    fn count(&mut self, tally: &Tally) {
        self.products_created += usize::from(tally.is_new);
        self.products_unchanged += usize::from(tally.is_same);
        self.products_updated += usize::from(!tally.is_new && !tally.is_same);
        self.variants_created += tally.created;
        self.variants_updated += tally.updated;
        self.variants_unchanged += tally.unchanged;
    }
}
