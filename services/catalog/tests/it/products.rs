//! Reading products.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::ProductId;
use tonic::{Code, Status};

use crate::shop::{Shop, assert_field, assert_status};

async fn page(shop: &Shop, page_size: i32, page_token: &str) -> Result<pb::ListProductsResponse, Status> {
    let request = pb::ListProductsRequest { page_size, page_token: page_token.into() };
    shop.products.clone().list_products(request).await.map(tonic::Response::into_inner)
}

/// The handles on each page, walked to the end.
async fn walk(shop: &Shop, page_size: i32) -> Vec<Vec<String>> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let page = page(shop, page_size, &token).await.unwrap();
        pages.push(page.products.into_iter().map(|product| product.handle).collect());
        token = page.next_page_token;
        if token.is_empty() {
            return pages;
        }
    }
}

async fn with_products(number: usize) -> Shop {
    let shop = Shop::open().await;
    let rows: String = (0..number).map(|n| format!("p{n},P{n},1,active\n")).collect();
    shop.import(&format!("Handle,Title,Variant Price,Status\n{rows}d,D,1,draft\nx,X,1,archived\n")).await;
    shop
}

#[tokio::test]
async fn pages_hold_every_active_product_once_oldest_first() {
    let shop = with_products(30).await;
    let all: Vec<String> = (0..30).map(|n| format!("p{n}")).collect();
    for (size, pages) in [(1, 30), (7, 5), (10, 3), (0, 2), (100, 1)] {
        let found = walk(&shop, size).await;
        assert_eq!((found.len(), found.concat()), (pages, all.clone()), "pages of {size}");
    }
    assert_eq!(walk(&shop, 0).await[0].len(), 25);
    assert_eq!(
        Shop::open().await.products.list_products(pb::ListProductsRequest::default()).await.unwrap().into_inner(),
        Default::default()
    );
}

#[tokio::test]
async fn a_page_has_a_hundred_products_at_most() {
    let shop = with_products(101).await;
    let found = walk(&shop, 1_000_000).await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
}

#[tokio::test]
async fn a_page_that_no_message_holds_is_shorter_and_none_is_lost() {
    let shop = Shop::open().await;
    let body = "x".repeat(65_536);
    let rows: String = (0..70).map(|n| format!("p{n},P{n},{body},1\n")).collect();
    shop.import(&format!("Handle,Title,Body (HTML),Variant Price\n{rows}")).await;
    let found = walk(&shop, 100).await;
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [31, 31, 8]);
    assert_eq!(found.concat(), (0..70).map(|n| format!("p{n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn sizes_and_tokens_that_nobody_gave_out_are_refused() {
    let shop = Shop::open().await;
    assert_field(&page(&shop, -1, "").await.unwrap_err(), "page_size");
    for forged in ["x", "p1", "p1zz"] {
        assert_field(&page(&shop, 1, forged).await.unwrap_err(), "page_token");
    }
}

#[tokio::test]
async fn a_product_is_found_by_id_and_by_handle() {
    let shop = with_products(2).await;
    let by_handle = shop.product("p1").await.unwrap();
    assert_eq!(shop.product(&by_handle.name).await.unwrap(), by_handle);
    let unknown = ProductId::generate().to_string();
    for name in [unknown.as_str(), "nothing", "products/P1"] {
        assert_status(&shop.product(name).await.unwrap_err(), Code::NotFound, "RESOURCE_NOT_FOUND");
    }
}

#[tokio::test]
async fn drafts_and_archived_products_are_seen_by_editors_only() {
    let shop = with_products(1).await;
    for handle in ["d", "x"] {
        let name = shop.product(handle).await.unwrap().name;
        for name in [name, format!("products/{handle}")] {
            let guest = shop.products.clone().get_product(pb::GetProductRequest { name }).await.unwrap_err();
            assert_status(&guest, Code::NotFound, "RESOURCE_NOT_FOUND");
        }
    }
}
