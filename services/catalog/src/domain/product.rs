//! Products and variants.

use chrono::{DateTime, Utc};
use kontor_types::Money;
use kontor_types::ids::{ProductId, VariantName};

/// Whether a product can be seen and bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Being prepared.
    Draft,
    /// For sale.
    Active,
    /// Put away.
    Archived,
}

/// What an editor says about a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductContent {
    /// Its name in addresses.
    pub handle: String,
    /// What it is called.
    pub title: String,
    /// What it is, as HTML.
    pub description: String,
    /// Whether it can be seen and bought.
    pub status: Status,
    /// Who makes it.
    pub vendor: String,
    /// What kind of thing it is.
    pub product_type: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What its variants differ in.
    pub option_names: Vec<String>,
}

/// A product as it stands in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// What the editors say.
    pub content: ProductContent,
    /// Its variants, in the order to show them.
    pub variants: Vec<Variant>,
    /// Counts its changes from 1.
    pub version: i64,
    /// When it was created.
    pub create_time: DateTime<Utc>,
    /// When it last changed.
    pub update_time: DateTime<Utc>,
}

/// What an editor says about a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantContent {
    /// The stock-keeping unit, unless it goes without.
    pub sku: Option<String>,
    /// The price of one unit.
    pub price: Money,
    /// The former price.
    pub compare_at: Option<Money>,
    /// Its value for each of the product's options.
    pub option_values: Vec<String>,
    /// The code printed on it.
    pub barcode: String,
    /// What one unit weighs, in grams.
    pub weight_grams: i32,
}

/// A variant as it stands in the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: VariantName,
    /// What the editors say.
    pub content: VariantContent,
    /// The product's title.
    pub product_title: String,
    /// The product's option names.
    pub option_names: Vec<String>,
    /// How many units can be ordered.
    pub available: i64,
    /// Whether its product is for sale.
    pub for_sale: bool,
}
