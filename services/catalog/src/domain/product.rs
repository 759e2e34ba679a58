//! Products and variants.

use chrono::{DateTime, Utc};
use kontor_types::Money;
use kontor_types::ids::{ProductId, VariantName};

/// Whether a product can be seen and bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Draft,
    Active,
    Archived,
}

/// What an editor says about a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductContent {
    pub handle: String,
    pub title: String,
    pub description: String,
    pub status: Status,
    pub vendor: String,
    pub product_type: String,
    pub tags: Vec<String>,
    pub option_names: Vec<String>,
}

/// A product as it stands in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub id: ProductId,
    pub content: ProductContent,
    /// Its variants, in the order to show them.
    pub variants: Vec<Variant>,
    pub version: i64,
    pub create_time: DateTime<Utc>,
    pub update_time: DateTime<Utc>,
}

/// What an editor says about a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantContent {
    /// The stock-keeping unit, unless it goes without.
    pub sku: Option<String>,
    /// The price of one unit.
    pub price: Money,
    pub compare_at: Option<Money>,
    /// Its value for each of the product's options.
    pub option_values: Vec<String>,
    pub barcode: String,
    /// What one unit weighs, in grams.
    pub weight_grams: i32,
}

/// A variant as it stands in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    pub name: VariantName,
    pub content: VariantContent,
    pub product_title: String,
    pub option_names: Vec<String>,
    /// How many units can be ordered.
    pub available: i64,
    pub for_sale: bool,
}
