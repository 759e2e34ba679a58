//! Reading variants.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_testkit::with_token;
use kontor_types::ids::new_uuid;
use tonic::{Code, Status};

use crate::shop::{Shop, assert_field, assert_status};

async fn batch(shop: &Shop, parent: &str, names: &[String]) -> Result<Vec<String>, Status> {
    let request = pb::BatchGetVariantsRequest { parent: parent.into(), names: names.to_vec() };
    let found = shop.variants.clone().batch_get_variants(request).await?.into_inner();
    Ok(found.variants.into_iter().map(|variant| variant.name).collect())
}

#[tokio::test]
async fn a_batch_keeps_the_order_that_was_asked_for() {
    let shop = Shop::open().await;
    let mut names = shop.stocked("cup", &[("C1", 1), ("C2", 1), ("C3", 1)]).await;
    names.extend(shop.stocked("mug", &[("M1", 1)]).await);
    names.reverse();
    assert_eq!(batch(&shop, "products/-", &names).await.unwrap(), names);
    let twice = [names[0].clone(), names[0].clone()];
    assert_eq!(batch(&shop, "products/-", &twice).await.unwrap(), twice);
}

#[tokio::test]
async fn variants_of_drafts_are_seen_by_editors_and_services_only() {
    let shop = Shop::open().await;
    shop.import("Handle,Title,Variant Price,Variant Inventory Qty,Status\nd,D,1,3,draft\n").await;
    let name = shop.product("d").await.unwrap().variants.remove(0).name;
    let variant = || pb::GetVariantRequest { name: name.clone() };
    let stock = || pb::GetStockRequest { name: format!("{name}/stock") };
    let guest = shop.variants.clone().get_variant(variant()).await.unwrap_err();
    assert_status(&guest, Code::NotFound, "RESOURCE_NOT_FOUND");
    let guest = shop.inventory.clone().get_stock(stock()).await.unwrap_err();
    assert_status(&guest, Code::NotFound, "RESOURCE_NOT_FOUND");
    for token in [&shop.editor, &shop.order_service] {
        let seen = shop.variants.clone().get_variant(with_token(variant(), token)).await.unwrap();
        assert!(!seen.get_ref().for_sale);
        assert_eq!(shop.inventory.clone().get_stock(with_token(stock(), token)).await.unwrap().get_ref().on_hand, 3);
    }
}

#[tokio::test]
async fn a_batch_names_what_does_not_exist() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("C", 1)]).await.remove(0);
    let mug = shop.stocked("mug", &[("M", 1)]).await.remove(0);
    let unknown = format!("products/-/variants/{}", new_uuid());
    // A variant of another product is not there, even if its id is right.
    let strayed = cup.replace(&cup[..45], &mug[..45]);
    for missing in [unknown, strayed, "products/cup/variants/x".into()] {
        let status = batch(&shop, "products/-", &[cup.clone(), missing.clone()]).await.unwrap_err();
        assert_status(&status, Code::NotFound, "RESOURCE_NOT_FOUND");
        assert!(status.message().contains(&missing), "{}", status.message());
    }
}

#[tokio::test]
async fn a_batch_lies_below_its_parent() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("C", 1)]).await.remove(0);
    let mug = shop.stocked("mug", &[("M", 1)]).await.remove(0);
    let parent = cup.split("/variants/").next().unwrap();
    let own = std::slice::from_ref(&cup);
    assert_eq!(batch(&shop, parent, own).await.unwrap(), own);
    let status = batch(&shop, parent, &[cup.clone(), mug]).await.unwrap_err();
    assert_field(&status, "names[1]");
}

#[tokio::test]
async fn a_variant_is_found_below_its_product_by_id_or_handle() {
    let shop = Shop::open().await;
    let name = shop.stocked("cup", &[("C", 4)]).await.remove(0);
    let id = name.rsplit('/').next().unwrap();
    for name in [name.clone(), format!("products/cup/variants/{id}")] {
        let found = shop.variants.clone().get_variant(pb::GetVariantRequest { name }).await.unwrap().into_inner();
        assert_eq!((found.sku.as_str(), found.available_quantity, found.product_title.as_str()), ("C", 4, "cup"));
    }
    let name = format!("products/mug/variants/{id}");
    let status = shop.variants.clone().get_variant(pb::GetVariantRequest { name }).await.unwrap_err();
    assert_status(&status, Code::NotFound, "RESOURCE_NOT_FOUND");
}
