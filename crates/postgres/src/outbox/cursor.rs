//! A position as callers see it: one opaque word.

/// Where a reader stands: after the event with this position; 0 is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub(super) i64);

/// A cursor that this service never gave out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no cursor that this service gave out")]
pub struct BadCursor;

impl Cursor {
    /// From the word that a caller kept.
    ///
    /// # Errors
    /// When it is not such a word, letter by letter.
    pub fn from_wire(word: &str) -> Result<Self, BadCursor> {
        let position = word.strip_prefix("e1").and_then(|hex| i64::from_str_radix(hex, 16).ok());
        position.map(Self).filter(|cursor| cursor.0 >= 0 && cursor.to_wire() == word).ok_or(BadCursor)
    }

    /// The word for callers to keep.
    pub fn to_wire(self) -> String {
        format!("e1{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_forged_ones_are_refused() {
        for position in [0, 1, 255, i64::MAX] {
            assert_eq!(Cursor::from_wire(&Cursor(position).to_wire()), Ok(Cursor(position)));
        }
        let longer = format!("{}0", Cursor(1).to_wire());
        let forged = ["", "1", "e1", "e11", "e2000000000000000a", "e1000000000000000A", "e1+00000000000000a"];
        for forged in forged.into_iter().chain(["e1ffffffffffffffff", "e1-00000000000000a", "é1", longer.as_str()]) {
            assert_eq!(Cursor::from_wire(forged), Err(BadCursor), "{forged}");
        }
    }
}
