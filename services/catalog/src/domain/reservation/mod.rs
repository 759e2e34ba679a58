//! The orders' claims on stock, and what each call may make of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kontor_types::ids::{OrderId, VariantName};

use super::inventory::{Line, Shortage};

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationState {
    /// The units are held.
    Held,
    /// The units were taken.
    Confirmed,
    /// The units were let go.
    Released,
    Refused,
    /// The units were held for too long, and were let go; they may be taken up again.
    Expired,
}

/// An order's claim on stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    pub order: OrderId,
    pub state: ReservationState,
    pub lines: Vec<Line>,
    /// If refused: why.
    pub shortages: Vec<Shortage>,
    /// If held: until when the units are sure to be held.
    pub expire_time: Option<DateTime<Utc>>,
    /// How many units of each line came back.
    pub returned: Vec<i32>,
    pub version: i64,
}

impl Reservation {
    /// What is left by a release that came before anything was held.
    pub fn tombstone(order: OrderId) -> Self {
        let (lines, shortages, returned) = (Vec::new(), Vec::new(), Vec::new());
        Self { order, state: ReservationState::Released, lines, shortages, expire_time: None, returned, version: 1 }
    }

    fn is_tombstone(&self) -> bool {
        self.state == ReservationState::Released && self.lines.is_empty()
    }

    /// The lines whose units it holds now.
    pub fn held(&self) -> &[Line] {
        if self.state == ReservationState::Held { &self.lines } else { &[] }
    }

    /// What came back, as lines.
    pub fn returned_lines(&self) -> impl Iterator<Item = Line> {
        let lines = self.lines.iter().zip(&self.returned);
        lines.filter(|(_, back)| **back > 0).map(|(line, back)| Line { quantity: *back, ..*line })
    }
}

/// What came of an order's wish for units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Held or refused; or released, if the order does not want them any more.
    pub state: ReservationState,
    /// If refused: why.
    pub shortages: Vec<Shortage>,
}

impl Verdict {
    /// All lines are held, or none.
    pub fn by(shortages: Vec<Shortage>) -> Self {
        let state = if shortages.is_empty() { ReservationState::Held } else { ReservationState::Refused };
        Self { state, shortages }
    }
}

/// Why a reservation does not become what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It stands otherwise, and that can't be changed so.
    Ended(ReservationState),
    /// It has expired; first it must be taken up again.
    Expired,
    /// The order asked for other lines before.
    OtherLines,
    /// More is to come back than was taken and has not come back yet.
    TooMany {
        variant: VariantName,
        /// How many units may come back.
        returnable: i32,
    },
}

/// What to do with a reservation that should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Change its state, and the stock with it.
    Apply,
    /// Nothing: it ended like this before.
    Already,
}

/// Taking the units of a reservation.
pub fn confirming(state: ReservationState) -> Result<Ending, Refusal> {
    match state {
        ReservationState::Held => Ok(Ending::Apply),
        ReservationState::Confirmed => Ok(Ending::Already),
        ReservationState::Expired => Err(Refusal::Expired),
        ReservationState::Released | ReservationState::Refused => Err(Refusal::Ended(state)),
    }
}

/// Letting the units of a reservation go. A refused one holds nothing, so there is nothing left to do; an expired one holds
/// nothing either, but might again.
pub fn releasing(state: ReservationState) -> Result<Ending, Refusal> {
    match state {
        ReservationState::Held | ReservationState::Expired => Ok(Ending::Apply),
        ReservationState::Released | ReservationState::Refused => Ok(Ending::Already),
        ReservationState::Confirmed => Err(Refusal::Ended(state)),
    }
}

/// What a repeated wish for units comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    Stands,
    /// It stands too: the release came first.
    TooLate,
    /// The units are held, and should be for a while yet.
    Renew,
    /// They were let go when the hold expired: decide anew.
    TakeUp,
}

/// Asking again for the units of an order.
pub fn re_reserving(found: &Reservation, lines: &[Line]) -> Result<Again, Refusal> {
    if found.is_tombstone() {
        return Ok(Again::TooLate);
    }
    if found.lines != lines {
        return Err(Refusal::OtherLines);
    }
    match found.state {
        ReservationState::Held => Ok(Again::Renew),
        ReservationState::Expired => Ok(Again::TakeUp),
        ReservationState::Confirmed | ReservationState::Released | ReservationState::Refused => Ok(Again::Stands),
    }
}

/// Putting units that an order took back into stock: how many of each line came back then.
pub fn returning(found: &Reservation, back: &[Line]) -> Result<Vec<i32>, Refusal> {
    if found.state != ReservationState::Confirmed {
        return Err(Refusal::Ended(found.state));
    }
    let mut returned = found.returned.clone();
    for Line { variant, quantity } in back {
        let taken = found.lines.iter().zip(&mut returned).find(|(line, _)| line.variant == *variant);
        let returnable = taken.as_ref().map_or(0, |(line, returned)| line.quantity - **returned);
        match taken {
            Some((_, returned)) if *quantity <= returnable => *returned += quantity,
            Some(_) | None => return Err(Refusal::TooMany { variant: *variant, returnable }),
        }
    }
    Ok(returned)
}

/// The units of many reservations, one line for each variant, in the order in which stock is locked.
pub fn together<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Vec<Line> {
    let mut sums: BTreeMap<_, Line> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(line.variant.id).or_insert(Line { quantity: 0, ..*line });
        sum.quantity += line.quantity;
    }
    sums.into_values().collect()
}

#[cfg(test)]
mod tests;
