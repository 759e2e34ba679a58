//! Reading the catalog.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::Api;
use crate::buyer::name;
use crate::goods::{HEADER, import, row, unique};

/// The sample catalog, which goes in on the first start.
const SAMPLE: &[u8] = include_bytes!("../../sample/catalog.csv");

/// The handles of the sample products with this status, in the order of the file.
fn sample_handles(status: &str) -> Vec<String> {
    let mut file = csv::Reader::from_reader(SAMPLE);
    let rows = file.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    rows.filter(|row| row["Status"] == status).map(|row| row["Handle"].clone()).collect()
}

/// All pages of a list, one after the other.
async fn walk(page_size: usize) -> Vec<Value> {
    let (guest, mut products, mut token) = (Api::guest(), Vec::new(), String::new());
    loop {
        let page = guest.get(&format!("/v1/products?pageSize={page_size}&pageToken={token}")).await.ok();
        let found = page["products"].as_array().unwrap().clone();
        token = page["nextPageToken"].as_str().unwrap().to_owned();
        assert!(found.len() == page_size || token.is_empty(), "only the last page is short");
        products.extend(found);
        if token.is_empty() {
            return products;
        }
    }
}

#[tokio::test]
async fn pages_walk_all_active_products_once_and_in_order() {
    let sample = sample_handles("active");
    assert_eq!(sample.len(), 60);
    for page_size in [1, 7, 100] {
        let products = walk(page_size).await;
        assert!(products.iter().all(|product| product["status"] == "ACTIVE"));
        let handles = products.iter().map(|product| product["handle"].as_str().unwrap());
        let of_sample: Vec<_> = handles.filter(|handle| sample.iter().any(|known| known == handle)).collect();
        assert_eq!(of_sample, sample, "in pages of {page_size}");
    }
}

#[tokio::test]
async fn a_page_has_25_products_unless_asked_and_100_at_most() {
    let guest = Api::guest();
    for (query, least, most) in [("", 25, 25), ("?pageSize=0", 25, 25), ("?pageSize=1000", 60, 100)] {
        let page = guest.get(&format!("/v1/products{query}")).await.ok();
        let len = page["products"].as_array().unwrap().len();
        assert!((least..=most).contains(&len), "{query}: {len}");
    }
}

#[tokio::test]
async fn a_product_is_found_by_its_handle_and_by_its_name() {
    let guest = Api::guest();
    let by_handle = guest.get("/v1/products/pour-over-kettle").await.ok();
    assert_eq!(by_handle["handle"], "pour-over-kettle");
    assert_eq!(guest.get(&format!("/v1/{}", name(&by_handle))).await.ok(), by_handle);
    for variant in by_handle["variants"].as_array().unwrap() {
        assert_eq!(guest.read(&variant["name"]).await, *variant);
    }
}

#[tokio::test]
async fn products_that_are_not_active_are_seen_by_editors_only() {
    let (guest, admin) = (Api::guest(), Api::administrator().await);
    let draft = unique("draft");
    import(&admin, "", format!("{HEADER}\n{}", row(&draft, &draft, 1, "draft"))).await.ok();
    let hidden: Vec<_> = [sample_handles("draft"), sample_handles("archived"), vec![draft]].concat();
    assert!(hidden.len() > 2, "the sample has drafts and archived products");
    let listed = walk(100).await;
    for handle in hidden {
        guest.get(&format!("/v1/products/{handle}")).await.refused(404, "RESOURCE_NOT_FOUND");
        let product = admin.get(&format!("/v1/products/{handle}")).await.ok();
        assert_ne!(product["status"], "ACTIVE");
        guest.get(&format!("/v1/{}", name(&product))).await.refused(404, "RESOURCE_NOT_FOUND");
        assert!(listed.iter().all(|other| other["name"] != product["name"]));
    }
}

#[tokio::test]
async fn a_draft_can_not_be_bought() {
    let (guest, admin) = (Api::guest(), Api::administrator().await);
    let draft = unique("draft");
    import(&admin, "", format!("{HEADER}\n{}", row(&draft, &draft, 1, "draft"))).await.ok();
    let product = admin.get(&format!("/v1/products/{draft}")).await.ok();
    let cart = guest.post("/v1/carts", &serde_json::json!({})).await.ok();
    let variant = name(&product["variants"][0]).to_owned();
    let answer = crate::buyer::set_item(&guest, &cart, &variant, 1.into()).await;
    assert!(["VARIANT_NOT_FOR_SALE", "RESOURCE_NOT_FOUND"].contains(&answer.body["reason"].as_str().unwrap()));
    assert_eq!(guest.read(&cart["name"]).await, cart);
}
