//! Pages of lists.

use kontor_types::{PageSize, PageToken};

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page<T, K = PageToken> {
    pub(crate) items: Vec<T>,
    /// Where the next page begins, unless this is the last.
    pub(crate) next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Of items of which there is one more than the page takes if there is a next one.
    pub(super) fn cut(mut items: Vec<T>, size: PageSize, token: impl Fn(&T) -> K) -> Self {
        let size = usize::try_from(size.get()).unwrap_or_default();
        let more = items.len() > size;
        items.truncate(size);
        let next = items.last().filter(|_| more).map(token);
        Self { items, next }
    }
}
