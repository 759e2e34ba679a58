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

/// Where the next page begins: after the item with this id. On the wire it is one opaque word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken {
    /// The last item of the page before.
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
    fn sizes_are_bounded() {
        assert_eq!(PageSize::from_request(0).get(), 25);
        assert_eq!(PageSize::from_request(1).get(), 1);
        assert_eq!(PageSize::from_request(100_000).get(), 100);
    }
}
