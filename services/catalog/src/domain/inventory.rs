//! Stock, and whether it is enough.

use kontor_types::ids::VariantName;

/// The units of one variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stock {
    pub variant: VariantName,
    /// Units in the house, held ones included.
    pub on_hand: i64,
    /// Units that orders hold.
    pub reserved: i64,
}

impl Stock {
    /// Units that can be ordered.
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }
}

/// Why stock changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovementReason {
    Received,
    Damaged,
    Counted,
    Returned,
    /// An import created the variant with this stock.
    Imported,
    /// An order took the units.
    Sold,
}

impl MovementReason {
    /// As the ledger writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::Damaged => "DAMAGED",
            Self::Counted => "COUNTED",
            Self::Returned => "RETURNED",
            Self::Imported => "IMPORTED",
            Self::Sold => "SOLD",
        }
    }
}

/// Units of one variant that an order wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub variant: VariantName,
    pub quantity: i32,
}

/// Too few units for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub line: Line,
    /// The variant's stock-keeping unit.
    pub sku: Option<String>,
    pub available: i64,
}

/// What a variant has, as far as a reservation cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    pub variant: VariantName,
    /// Its stock-keeping unit.
    pub sku: Option<String>,
    /// Units that can be ordered.
    pub quantity: i64,
}

/// What there is too little of: empty if all lines can be held. A variant that is not in stock at all has 0 units.
pub fn shortages(lines: &[Line], stock: &[Available]) -> Vec<Shortage> {
    lines.iter().filter_map(|line| shortage(line, stock)).collect()
}

fn shortage(line: &Line, stock: &[Available]) -> Option<Shortage> {
    let found = stock.iter().find(|available| available.variant == line.variant);
    let available = found.map_or(0, |available| available.quantity);
    let sku = found.and_then(|available| available.sku.clone());
    (available < i64::from(line.quantity)).then_some(Shortage { line: *line, sku, available })
}

#[cfg(test)]
mod tests {
    use kontor_types::ids::{ProductId, new_uuid};

    use super::*;

    fn variant() -> VariantName {
        VariantName { product: ProductId::generate(), id: new_uuid() }
    }

    #[test]
    fn each_short_line_is_named_with_what_is_left() {
        let (a, b, gone) = (variant(), variant(), variant());
        let line = |variant, quantity| Line { variant, quantity };
        let has = |variant, quantity| Available { variant, sku: Some("S".into()), quantity };
        let lines = [line(a, 2), line(b, 5), line(gone, 1)];
        let found = shortages(&lines, &[has(a, 2), has(b, 4)]);
        let short: Vec<_> = found.iter().map(|s| (s.line.variant, s.available)).collect();
        assert_eq!(short, [(b, 4), (gone, 0)]);
    }
}
