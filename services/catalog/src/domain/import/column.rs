//! The columns of Shopify's product export that count here. All others are ignored.

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// The product's name in addresses; the rows of one product share it.
    Handle,
    /// What the product is called; on its first row.
    Title,
    /// The description, as HTML; on the first row.
    Body,
    /// Who makes it; on the first row.
    Vendor,
    /// What kind of thing it is; on the first row.
    Type,
    /// Words to find it by, separated by commas; on the first row.
    Tags,
    /// Whether the online shop shows it; on the first row.
    Published,
    /// What the first option is called; on the first row. So for the other two.
    Option1Name,
    /// The variant's value of the first option. So for the other two.
    Option1Value,
    /// See [`Self::Option1Name`].
    Option2Name,
    /// See [`Self::Option1Value`].
    Option2Value,
    /// See [`Self::Option1Name`].
    Option3Name,
    /// See [`Self::Option1Value`].
    Option3Value,
    /// The stock-keeping unit.
    Sku,
    /// What one unit weighs, in grams.
    Grams,
    /// Who counts the stock; empty: nobody does.
    Tracker,
    /// Units in stock.
    Quantity,
    /// What happens when there are none left: `deny` or `continue`.
    Policy,
    /// The price of one unit.
    Price,
    CompareAtPrice,
    Barcode,
    /// `active`, `draft` or `archived`; on the first row.
    Status,
}

impl Column {
    /// All of them, in the order of their declaration: a column's place here is its value as a number.
    pub const ALL: [Self; 22] = [
        Self::Handle,
        Self::Title,
        Self::Body,
        Self::Vendor,
        Self::Type,
        Self::Tags,
        Self::Published,
        Self::Option1Name,
        Self::Option1Value,
        Self::Option2Name,
        Self::Option2Value,
        Self::Option3Name,
        Self::Option3Value,
        Self::Sku,
        Self::Grams,
        Self::Tracker,
        Self::Quantity,
        Self::Policy,
        Self::Price,
        Self::CompareAtPrice,
        Self::Barcode,
        Self::Status,
    ];

    /// Those that a file can't do without.
    pub const REQUIRED: [Self; 3] = [Self::Handle, Self::Title, Self::Price];

    /// The names of the options, and their values.
    pub const OPTIONS: [(Self, Self); super::limits::OPTIONS_MAX] = [
        (Self::Option1Name, Self::Option1Value),
        (Self::Option2Name, Self::Option2Value),
        (Self::Option3Name, Self::Option3Value),
    ];

    /// Those of which a variant has at least one. A row without any shows one more image.
    pub const OF_VARIANT: [Self; 9] = [
        Self::Option1Value,
        Self::Option2Value,
        Self::Option3Value,
        Self::Sku,
        Self::Grams,
        Self::Quantity,
        Self::Price,
        Self::CompareAtPrice,
        Self::Barcode,
    ];

    /// As the header writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Handle => "Handle",
            Self::Title => "Title",
            Self::Body => "Body (HTML)",
            Self::Vendor => "Vendor",
            Self::Type => "Type",
            Self::Tags => "Tags",
            Self::Published => "Published",
            Self::Option1Name => "Option1 Name",
            Self::Option1Value => "Option1 Value",
            Self::Option2Name => "Option2 Name",
            Self::Option2Value => "Option2 Value",
            Self::Option3Name => "Option3 Name",
            Self::Option3Value => "Option3 Value",
            Self::Sku => "Variant SKU",
            Self::Grams => "Variant Grams",
            Self::Tracker => "Variant Inventory Tracker",
            Self::Quantity => "Variant Inventory Qty",
            Self::Policy => "Variant Inventory Policy",
            Self::Price => "Variant Price",
            Self::CompareAtPrice => "Variant Compare At Price",
            Self::Barcode => "Variant Barcode",
            Self::Status => "Status",
        }
    }
}

/// The columns that a file has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Columns(u32);

impl Columns {
    /// Whether the file has the column.
    pub fn has(self, column: Column) -> bool {
        self.0 & (1 << column as u32) != 0
    }
}

impl FromIterator<Column> for Columns {
    fn from_iter<I: IntoIterator<Item = Column>>(columns: I) -> Self {
        Self(columns.into_iter().fold(0, |set, column| set | 1 << column as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::Column;

    #[test]
    fn the_list_is_in_the_order_of_the_declaration() {
        for (place, column) in Column::ALL.into_iter().enumerate() {
            assert_eq!(column as usize, place, "{}", column.name());
        }
    }
}
