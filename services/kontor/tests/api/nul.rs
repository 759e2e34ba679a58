//! NUL characters, which Postgres can't hold in text: refused before they get there.

use reqwest::Method;
use serde_json::json;

use crate::answer::assert_refused;
use crate::api::Api;
use crate::buyer::{cart_with, item_path, order_of};
use crate::goods::{Goods, HEADER, import, row, unique};

const NOBODY: &str = "018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11";
const BROKEN: &str = "FIELD_VIOLATION";
const NONE: &str = "RESOURCE_NOT_FOUND";

#[tokio::test]
async fn carts_and_orders_take_none() {
    let goods = Goods::stocked(1).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let post = |path: &str, body| guest.posting(path, &body);
    let address = json!({"shippingAddress": {"locality": "\0"}});
    let item = json!({"variant": format!("products/\0/variants/{NOBODY}"), "quantity": 1});
    assert_refused(vec![
        ("an e-mail address", post("/v1/carts", json!({"email": "a\0@b.c"})), 400, BROKEN, "email"),
        ("an address", post("/v1/carts", address), 400, BROKEN, "shippingAddress"),
        ("a variant", post(&item_path(&cart), item), 400, BROKEN, "variant"),
        ("a payment token", post("/v1/orders", order_of(&cart, "tok\0")), 400, BROKEN, "paymentToken"),
    ])
    .await;
    assert_eq!(guest.read(&cart["name"]).await, cart);
}

#[tokio::test]
async fn no_product_has_one_in_its_name() {
    let (guest, admin) = (Api::guest(), Api::administrator().await);
    let get = |path: &str| guest.request(Method::GET, path);
    let adjust = format!("/v1/products/%00/variants/{NOBODY}:adjustStock");
    let adjustment = json!({"delta": "1", "reason": "RECEIVED"});
    assert_refused(vec![
        ("alone", get("/v1/products/%00"), 400, BROKEN, "name"),
        ("after a handle", get("/v1/products/pour-over-kettle%00"), 400, BROKEN, "name"),
        ("before a variant", get(&format!("/v1/products/%00/variants/{NOBODY}")), 400, BROKEN, "name"),
        ("before stock", get(&format!("/v1/products/%00/variants/{NOBODY}/stock")), 400, BROKEN, "name"),
        ("in a change of stock", admin.posting(&adjust, &adjustment), 400, BROKEN, "variant"),
    ])
    .await;
}

#[tokio::test]
async fn no_account_has_one() {
    let guest = Api::guest();
    let password = "a long enough passphrase";
    let sign_in = json!({"email": "a\0@b.c", "password": password});
    let sign_up = json!({"email": "a\0@b.c", "password": password});
    let called = json!({"email": "a@b.c", "password": password, "displayName": "\0"});
    assert_refused(vec![
        ("signing in", guest.posting("/v1/auth:signIn", &sign_in), 400, BROKEN, "email"),
        ("signing up", guest.posting("/v1/auth:signUp", &sign_up), 400, BROKEN, "email"),
        ("a display name", guest.posting("/v1/auth:signUp", &called), 400, BROKEN, "displayName"),
    ])
    .await;
}

#[tokio::test]
async fn a_file_takes_none_in_a_cell() {
    let admin = Api::administrator().await;
    let handle = unique("nul");
    let file = format!("{HEADER}\n{}", row(&handle, &handle, 1, "active").replace("Title of", "Title\0of"));
    let report = import(&admin, "", file).await.ok();
    assert_eq!((&report["productsRefused"], &report["issueCount"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!((&report["issues"][0]["line"], &report["issues"][0]["column"]), (&json!("2"), &json!("Title")));
    admin.get(&format!("/v1/products/{handle}")).await.refused(404, NONE);
}
