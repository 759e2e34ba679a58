//! Who may do what.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_testkit::with_token;
use kontor_types::ids::{OrderId, UserId, new_uuid};
use tonic::{Code, Request};

use crate::shop::{Shop, assert_status};

#[tokio::test]
async fn importing_needs_the_permission_to_edit() {
    let shop = Shop::open().await;
    let file = b"Handle,Title,Variant Price\na,A,1\n";
    let stranger = shop.issuer.user(UserId::generate(), &["order.read"]);
    let refused = shop.try_import(file, &stranger, pb::ImportProductsRequest::default()).await.unwrap_err();
    assert_status(&refused, Code::PermissionDenied, "PERMISSION_MISSING");

    let request = Request::new(tokio_stream::iter([pb::ImportProductsRequest::default()]));
    let refused = shop.products.clone().import_products(request).await.unwrap_err();
    assert_status(&refused, Code::Unauthenticated, "TOKEN_MISSING");
    assert_eq!(shop.count("SELECT count(*) FROM products").await, 0);
}

#[tokio::test]
async fn adjusting_needs_the_permission_to_adjust() {
    let shop = Shop::open().await;
    let variant = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let change = pb::AdjustStockRequest { variant: variant.clone(), delta: 1, reason: 1, request_id: String::new() };
    let editor_only = shop.issuer.user(UserId::generate(), &["catalog.edit"]);
    let refused = shop.inventory.clone().adjust_stock(with_token(change.clone(), &editor_only)).await.unwrap_err();
    assert_status(&refused, Code::PermissionDenied, "PERMISSION_MISSING");
    let refused = shop.inventory.clone().adjust_stock(change).await.unwrap_err();
    assert_status(&refused, Code::Unauthenticated, "TOKEN_MISSING");
    assert_eq!(shop.stock(&variant).await, (5, 0));
}

#[tokio::test]
async fn reservations_are_for_our_own_services_only() {
    let shop = Shop::open().await;
    let variant = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let order = OrderId::generate().to_string();
    let mut inventory = shop.inventory.clone();
    let lines = vec![pb::ReservationLine { variant: variant.clone(), quantity: 1 }];
    let reserve = pb::ReserveStockRequest { order: order.clone(), lines };
    let confirm = pb::ConfirmReservationRequest { order: order.clone() };
    let release = pb::ReleaseReservationRequest { order: order.clone() };
    let refund = format!("{order}/refunds/{}", new_uuid());
    let lines = vec![pb::ReservationLine { variant, quantity: 1 }];
    let (get, back) = (pb::GetReservationRequest { order }, pb::ReturnStockRequest { refund, lines });
    // Nor for service accounts that operators have made for others, whatever they may do, nor for a person with the word in the scope.
    let others = [
        shop.editor.clone(),
        shop.issuer.user(UserId::generate(), &["internal"]),
        shop.issuer.service_with("order", &[]),
        shop.issuer.service_with("order", &["catalog.edit", "inventory.adjust"]),
    ];
    for token in others {
        let refused = [
            inventory.reserve_stock(with_token(reserve.clone(), &token)).await.unwrap_err(),
            inventory.confirm_reservation(with_token(confirm.clone(), &token)).await.unwrap_err(),
            inventory.release_reservation(with_token(release.clone(), &token)).await.unwrap_err(),
            inventory.get_reservation(with_token(get.clone(), &token)).await.unwrap_err(),
            inventory.return_stock(with_token(back.clone(), &token)).await.unwrap_err(),
        ];
        for status in refused {
            assert_status(&status, Code::PermissionDenied, "INTERNAL_METHOD");
        }
    }
    assert_eq!(shop.count("SELECT count(*) FROM reservations").await, 0);
}

#[tokio::test]
async fn service_accounts_of_others_do_what_their_permissions_say() {
    let shop = Shop::open().await;
    let file = b"Handle,Title,Status,Variant Price\na,A,draft,1\n";
    let editor = shop.issuer.service_with("importer", &["catalog.edit"]);
    shop.try_import(file, &editor, pb::ImportProductsRequest::default()).await.unwrap();
    let draft = pb::GetProductRequest { name: "products/a".into() };
    let mut products = shop.products.clone();
    products.get_product(with_token(draft.clone(), &editor)).await.unwrap();
    products.get_product(with_token(draft.clone(), &shop.order_service)).await.unwrap();
    let stranger = shop.issuer.service_with("reporter", &["order.read"]);
    let refused = products.get_product(with_token(draft, &stranger)).await.unwrap_err();
    assert_status(&refused, Code::NotFound, "RESOURCE_NOT_FOUND");
    let refused = shop.try_import(file, &stranger, pb::ImportProductsRequest::default()).await.unwrap_err();
    assert_status(&refused, Code::PermissionDenied, "PERMISSION_MISSING");
    assert_eq!(shop.count("SELECT count(*) FROM products").await, 1);
}
