//! Pages of lists (AIP-158): sizes are bounded, tokens are opaque.

use uuid::Uuid;

/// How many items a page has at most: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(i64);

impl PageSize {
    /// What a caller gets who asks for nothing.
    pub const DEFAULT: i64 = 25;
    /// What a caller gets who asks for more.
    pub const MAX: i64 = 100;

    /// From a request's `page_size`: 0 is the default, more than the maximum is the maximum. Negative sizes are
    /// refused by the contract's rules before they come here.
    pub fn from_request(size: i32) -> Self {
        match i64::from(size) {
            size if size <= 0 => Self(Self::DEFAULT),
            size => Self(size.min(Self::MAX)),
        }
    }

    /// The number of items.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T, K = PageToken> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins, unless this is the last.
    pub next: Option<K>,
}

impl<T, K> Page<T, K> {
    /// Cuts a page off the items that were read: one more than the page takes tells that there is a next one.
    pub fn cut(mut items: Vec<T>, size: PageSize, token: impl Fn(&T) -> K) -> Self {
        let size = usize::try_from(size.get()).unwrap_or_default();
        let has_more = items.len() > size;
        items.truncate(size);
        let next = items.last().filter(|_| has_more).map(token);
        Self { items, next }
    }
}

/// Where the next page begins: after the item with this id. On the wire it is one opaque word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken {
    pub after: Uuid,
}

/// A page token that this server never gave out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no token that a page of this list ended with")]
pub struct PageTokenError;

impl PageToken {
    /// From a request's `page_token`; empty asks for the first page.
    pub fn from_request(token: &str) -> Result<Option<Self>, PageTokenError> {
        if token.is_empty() {
            return Ok(None);
        }
        let id = token.strip_prefix("p1").filter(|hex| hex.len() == 32).and_then(|hex| Uuid::try_parse(hex).ok());
        id.map(|after| Some(Self { after })).ok_or(PageTokenError)
    }

    /// The word for `next_page_token`.
    pub fn to_wire(self) -> String {
        format!("p1{}", self.after.simple())
    }
}

/// Where the next page of a list by name begins: after the item with this name. Names are 1 to 63 lower-case letters, digits and
/// hyphens, a letter first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameToken {
    pub after: String,
}

impl NameToken {
    /// From a request's `page_token`; empty asks for the first page.
    pub fn from_request(token: &str) -> Result<Option<Self>, PageTokenError> {
        if token.is_empty() {
            return Ok(None);
        }
        let name = token.strip_prefix("n1").filter(|name| is_name(name)).ok_or(PageTokenError)?;
        Ok(Some(Self { after: name.to_owned() }))
    }

    /// The word for `next_page_token`.
    pub fn to_wire(self) -> String {
        format!("n1{}", self.after)
    }
}

fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::new_uuid;

    #[test]
    fn tokens_round_trip_and_forged_ones_are_refused() {
        let token = PageToken { after: new_uuid() };
        assert_eq!(PageToken::from_request(&token.to_wire()), Ok(Some(token)));
        assert_eq!(PageToken::from_request(""), Ok(None));
        for forged in ["p1", "p2deadbeef", "x", "p1zz", &token.after.to_string()] {
            assert_eq!(PageToken::from_request(forged), Err(PageTokenError), "{forged}");
        }
    }

    #[test]
    fn tokens_by_name_round_trip_and_forged_ones_are_refused() {
        let token = NameToken { after: "catalog-editor2".into() };
        assert_eq!(NameToken::from_request(&token.clone().to_wire()), Ok(Some(token)));
        assert_eq!(NameToken::from_request(""), Ok(None));
        let (long, other_list) = (format!("n1{}", "a".repeat(64)), PageToken { after: new_uuid() }.to_wire());
        for forged in ["n1", "n1A", "n1-a", "n11", "n1a'b", "support", &long, &other_list] {
            assert_eq!(NameToken::from_request(forged), Err(PageTokenError), "{forged}");
        }
    }

    #[test]
    fn a_page_is_cut_where_its_size_says() {
        let page = |count: i64, size| Page::cut((0..count).collect(), PageSize::from_request(size), |item| *item);
        assert_eq!((page(3, 2).items, page(3, 2).next), (vec![0, 1], Some(1)));
        assert_eq!((page(2, 2).items, page(2, 2).next), (vec![0, 1], None));
        assert_eq!((page(0, 2).items, page(0, 2).next), (vec![], None));
    }

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(PageSize::from_request(0).get(), 25);
        assert_eq!(PageSize::from_request(1).get(), 1);
        assert_eq!(PageSize::from_request(100_000).get(), 100);
    }
}
