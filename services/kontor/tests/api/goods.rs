//! Goods of a test's own, imported as an operator imports them.

use kontor_types::ids::new_uuid;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::answer::Answer;
use crate::api::Api;

pub(crate) const HEADER: &str =
    "Handle,Title,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,Status";
/// What one unit costs.
pub(crate) const PRICE: &str = "12.50";

pub(crate) struct Goods {
    pub(crate) handle: String,
    pub(crate) sku: String,
    pub(crate) variant: String,
}

impl Goods {
    /// So many units, for 12.50 USD each.
    pub(crate) async fn stocked(units: u32) -> Self {
        Self::imported(units, "USD").await
    }

    /// So many units, for 12.50 each in a currency.
    pub(crate) async fn imported(units: u32, currency: &str) -> Self {
        let (handle, sku) = (unique("goods"), unique("SKU"));
        let file = format!("{HEADER}\n{}", row(&handle, &sku, units, "active"));
        let admin = Api::administrator().await;
        let report = import(&admin, &format!("?currencyCode={currency}"), file).await.ok();
        assert_eq!((&report["productsCreated"], &report["issueCount"]), (&1.into(), &0.into()), "{report}");
        let product = admin.get(&format!("/v1/products/{handle}")).await.ok();
        let variant = product["variants"][0]["name"].as_str().unwrap().to_owned();
        Self { handle, sku, variant }
    }

    pub(crate) async fn reprice(&self, currency: &str) {
        let file = format!("{HEADER}\n{}", row(&self.handle, &self.sku, 0, "active"));
        let report = import(&Api::administrator().await, &format!("?currencyCode={currency}"), file).await.ok();
        assert_eq!(report["productsUpdated"], 1, "{report}");
    }

    /// Units in the house, and of those the ones that orders hold.
    pub(crate) async fn stock(&self) -> (i64, i64) {
        let stock = Api::guest().get(&format!("/v1/{}/stock", self.variant)).await.ok();
        (count(&stock["onHand"]), count(&stock["reserved"]))
    }
}

/// A row of a file with one variant in stock.
pub(crate) fn row(handle: &str, sku: &str, units: u32, status: &str) -> String {
    format!("{handle},Title of {handle},{sku},shopify,{units},{PRICE},{status}\n")
}

/// Loads a file, with settings as a query.
pub(crate) async fn import(api: &Api, query: &str, file: impl Into<reqwest::Body>) -> Answer {
    let _turn = import_turn().await;
    let request = api.request(Method::POST, &format!("/v1/products:import{query}"));
    Answer::to(request.header("content-type", "text/csv").body(file)).await
}

/// The catalog refuses more than two imports at a time; the tests take turns.
pub(crate) async fn import_turn() -> impl Drop {
    static TURN: Semaphore = Semaphore::const_new(1);
    TURN.acquire().await.unwrap()
}

/// A 64-bit number, which JSON has as a string.
pub(crate) fn count(number: &Value) -> i64 {
    number.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{number} is no 64-bit number"))
}

pub(crate) fn unique(word: &str) -> String {
    format!("{word}-{}", new_uuid().simple())
}
