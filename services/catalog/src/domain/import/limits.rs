//! How large the parts of a product may be. Postgres would hold more; pages of products and events must stay small.

/// Rows in a file, the header not counted.
pub const ROWS_MAX: usize = 250_000;
/// Characters of a title, a vendor, a type, a tag, an SKU, a barcode, an option's name or value, a handle.
pub const TEXT_MAX_CHARS: usize = 255;
/// Bytes of a description.
pub const DESCRIPTION_MAX_BYTES: usize = 64 * 1024;
/// Tags of a product.
pub const TAGS_MAX: usize = 250;
/// Variants of a product.
pub const VARIANTS_MAX: usize = 250;
/// Options of a product.
pub const OPTIONS_MAX: usize = 3;
/// A price, in minor units. An order of the most lines and units at this price is still a number that can be counted.
pub const PRICE_MAX_MINOR: i64 = 1_000_000_000_000;
/// Units of a variant when it is created.
pub const QUANTITY_MAX: i64 = 1_000_000_000;
/// Grams of one unit: 100 tonnes.
pub const WEIGHT_MAX_GRAMS: i32 = 100_000_000;
/// Issues that are kept; all are counted.
pub const ISSUES_MAX: usize = 1_000;
