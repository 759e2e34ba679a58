//! Who may call what: the administrator's methods, and those that are for services only.

use kontor_proto::kontor::catalog::v1 as catalog;
use kontor_proto::kontor::catalog::v1::inventory_service_client::InventoryServiceClient;
use kontor_proto::kontor::payment::v1 as payment;
use kontor_proto::kontor::payment::v1::payment_provider_service_client::PaymentProviderServiceClient;
use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_testkit::with_token;
use kontor_types::ids::OrderId;
use serde_json::json;
use tonic::{Code, Request, Status};

use crate::answer::assert_refused;
use crate::api::Api;
use crate::goods::{Goods, HEADER, import, row, unique};
use crate::people::sign_up;
use crate::stack::stack;

#[tokio::test]
async fn the_administrators_methods_are_closed_to_guests_and_customers() {
    let goods = Goods::stocked(3).await;
    let (guest, customer) = (Api::guest(), Api::with_token(&sign_up().await.access_token));
    let handle = unique("forbidden");
    let file = format!("{HEADER}\n{}", row(&handle, &handle, 1, "active"));
    import(&guest, "", file.clone()).await.refused(401, "TOKEN_MISSING");
    let problem = import(&customer, "", file).await.refused(403, "PERMISSION_MISSING");
    assert_eq!(problem["metadata"]["permission"], "catalog.edit");

    let adjust = format!("/v1/{}:adjustStock", goods.variant);
    let change = json!({"delta": "5", "reason": "RECEIVED"});
    guest.post(&adjust, &change).await.refused(401, "TOKEN_MISSING");
    let problem = customer.post(&adjust, &change).await.refused(403, "PERMISSION_MISSING");
    assert_eq!(problem["metadata"]["permission"], "inventory.adjust");

    assert_eq!(goods.stock().await, (3, 0));
    let admin = Api::administrator().await;
    admin.get(&format!("/v1/products/{handle}")).await.refused(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn users_see_themselves_and_no_others() {
    let (user, other) = (sign_up().await, sign_up().await);
    let api = Api::with_token(&user.access_token);
    assert_eq!(api.get("/v1/users/me").await.ok()["name"], user.name);
    api.get(&format!("/v1/{}", other.name)).await.refused(404, "RESOURCE_NOT_FOUND");
    Api::guest().get("/v1/users/me").await.refused(401, "TOKEN_MISSING");
    let seen = Api::administrator().await.get(&format!("/v1/{}", other.name)).await.ok();
    assert_eq!(seen["name"], other.name);
}

#[tokio::test]
async fn internal_methods_have_no_path() {
    let goods = Goods::stocked(3).await;
    let admin = Api::administrator().await;
    let order = OrderId::generate().to_string();
    let body = json!({"order": order, "lines": [{"variant": goods.variant, "quantity": 1}]});
    let unknown = "METHOD_NOT_FOUND";
    assert_refused(vec![
        ("by a verb", admin.posting("/v1/inventory:reserveStock", &body), 404, unknown, ""),
        ("by the order", admin.posting(&format!("/v1/{order}:reserveStock"), &body), 404, unknown, ""),
        ("by gRPC's path", admin.posting("/kontor.catalog.v1.InventoryService/ReserveStock", &body), 404, unknown, ""),
        (
            "by the provider's",
            admin.posting("/kontor.payment.v1.PaymentProviderService/Refund", &body),
            404,
            unknown,
            "",
        ),
    ])
    .await;
    assert_eq!(goods.stock().await, (3, 0));
}

/// What a call of an internal method is refused with: by a guest, a customer, and even the administrator.
async fn assert_internal<T: Clone>(message: T, call: impl AsyncFn(Request<T>) -> Result<(), Status>) {
    let refusal = async |request| {
        let status = call(request).await.unwrap_err();
        (status.code(), reason_of(&status))
    };
    let guest = refusal(Request::new(message.clone())).await;
    assert_eq!(guest, (Code::Unauthenticated, Some(ErrorReason::TokenMissing)));
    for token in [sign_up().await.access_token, Api::administrator().await.token.unwrap()] {
        let user = refusal(with_token(message.clone(), &token)).await;
        assert_eq!(user, (Code::PermissionDenied, Some(ErrorReason::InternalMethod)));
    }
}

#[tokio::test]
async fn stock_is_not_reserved_for_anybody_but_services() {
    let goods = Goods::stocked(3).await;
    let channel = kontor_testkit::channel(stack().up.catalog_addr);
    let inventory = InventoryServiceClient::new(channel);
    let line = catalog::ReservationLine { variant: goods.variant.clone(), quantity: 1 };
    let order = OrderId::generate().to_string();
    let reserve = catalog::ReserveStockRequest { order: order.clone(), lines: vec![line] };
    assert_internal(reserve, async |request| inventory.clone().reserve_stock(request).await.map(drop)).await;
    let confirm = catalog::ConfirmReservationRequest { order };
    assert_internal(confirm, async |request| inventory.clone().confirm_reservation(request).await.map(drop)).await;
    assert_eq!(goods.stock().await, (3, 0));
}

#[tokio::test]
async fn money_is_not_moved_for_anybody_but_services() {
    let channel = kontor_testkit::channel(stack().up.psp_addr);
    let provider = PaymentProviderServiceClient::new(channel);
    let look_up = payment::LookUpRequest { authorization_key: "key".into() };
    assert_internal(look_up, async |request| provider.clone().look_up(request).await.map(drop)).await;
    let void = payment::VoidRequest { idempotency_key: unique("void"), authorization_key: unique("auth") };
    assert_internal(void.clone(), async |request| provider.clone().void(request).await.map(drop)).await;
    let journal = std::fs::read_to_string(stack().data_dir.join("sandbox-psp.journal")).unwrap_or_default();
    assert!(!journal.contains(&void.authorization_key), "nothing was voided");
}
