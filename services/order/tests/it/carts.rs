//! Changes of carts that are sent again: done once, even if others came in between.

use kontor_proto::kontor::order::v1 as pb;
use kontor_runtime::fault::{self, ErrorReason};
use kontor_types::ids::new_uuid;
use prost_types::FieldMask;
use tonic::Status;

use crate::peers::Peers;
use crate::world::World;

async fn set(world: &World, cart: &pb::Cart, quantity: i32, key: &str) -> Result<pb::Cart, Status> {
    let (name, variant) = (cart.name.clone(), cart.items[0].variant.clone());
    let request = pb::SetCartItemRequest { cart: name, variant, quantity: Some(quantity), request_id: key.to_owned() };
    Ok(world.carts.clone().set_cart_item(request).await?.into_inner())
}

async fn write_to(world: &World, cart: &pb::Cart, email: &str, key: &str) -> Result<pb::Cart, Status> {
    let cart = pb::Cart { name: cart.name.clone(), email: email.into(), ..pb::Cart::default() };
    let request = pb::UpdateCartRequest { cart: Some(cart), update_mask: None, request_id: key.to_owned() };
    Ok(world.carts.clone().update_cart(request).await?.into_inner())
}

#[tokio::test]
async fn a_late_repetition_does_not_undo_what_came_after_it() {
    let world = World::with(Peers::selling(700, 9)).await;
    let (cart, first, second) = (world.cart().await, new_uuid().to_string(), new_uuid().to_string());
    assert_eq!(set(&world, &cart, 2, &first).await.unwrap().items[0].quantity, 2);
    assert_eq!(set(&world, &cart, 3, &second).await.unwrap().items[0].quantity, 3);
    assert_eq!(set(&world, &cart, 2, &first).await.unwrap().items[0].quantity, 3, "it was done before");
    let reused = set(&world, &cart, 4, &first).await.unwrap_err();
    assert_eq!(fault::reason_of(&reused), Some(ErrorReason::IdempotencyKeyReused));

    let (first, second) = (new_uuid().to_string(), new_uuid().to_string());
    write_to(&world, &cart, "ada@example.org", &first).await.unwrap();
    write_to(&world, &cart, "bob@example.org", &second).await.unwrap();
    assert_eq!(write_to(&world, &cart, "ada@example.org", &first).await.unwrap().email, "bob@example.org");
    let other_method = set(&world, &cart, 1, &first).await.unwrap_err();
    assert_eq!(fault::reason_of(&other_method), Some(ErrorReason::IdempotencyKeyReused));
}

#[tokio::test]
async fn a_mask_changes_what_it_names_and_a_star_changes_all() {
    let world = World::with(Peers::selling(700, 9)).await;
    let cart = world.cart().await;
    write_to(&world, &cart, "ada@example.org", "").await.unwrap();
    let update = async |paths: &[&str]| {
        let update_mask = Some(FieldMask { paths: paths.iter().map(ToString::to_string).collect() });
        let cart = pb::Cart { name: cart.name.clone(), ..pb::Cart::default() };
        let request = pb::UpdateCartRequest { cart: Some(cart), update_mask, request_id: String::new() };
        world.carts.clone().update_cart(request).await.map(|cart| cart.into_inner().email)
    };
    assert_eq!(update(&["shipping_address"]).await.unwrap(), "ada@example.org");
    assert_eq!(update(&[]).await.unwrap(), "ada@example.org");
    assert_eq!(update(&["total"]).await.unwrap_err().code(), tonic::Code::InvalidArgument);
    assert_eq!(update(&["*"]).await.unwrap(), "");
}

#[tokio::test]
async fn a_change_sent_many_times_at_once_is_one_change() {
    let world = World::with(Peers::selling(700, 9)).await;
    let (cart, key) = (world.cart().await, new_uuid().to_string());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (mut carts, name, variant, request_id) =
            (world.carts.clone(), cart.name.clone(), cart.items[0].variant.clone(), key.clone());
        let request = pb::SetCartItemRequest { cart: name, variant, quantity: Some(4), request_id };
        calls.spawn(async move { carts.set_cart_item(request).await.map(tonic::Response::into_inner) });
    }
    assert!(calls.join_all().await.iter().all(|answer| answer.as_ref().unwrap().items[0].quantity == 4));
    assert_eq!(world.count("SELECT count(*) FROM idempotency_keys WHERE method = 'SetCartItem'").await, 1);
}

#[tokio::test]
async fn an_order_whose_total_can_not_be_counted_is_refused() {
    let world = World::with(Peers::selling(i64::MAX / 2, 9)).await;
    let cart = world.carts.clone().create_cart(pb::CreateCartRequest::default()).await.unwrap().into_inner();
    let variant = "products/01890000-0000-7000-8000-000000000000/variants/01890000-0000-7000-8000-000000000001";
    let request = pb::SetCartItemRequest {
        cart: cart.name.clone(),
        variant: variant.into(),
        quantity: Some(9),
        request_id: String::new(),
    };
    let refused = world.carts.clone().set_cart_item(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused:?}");
    let left = world.carts.clone().get_cart(pb::GetCartRequest { name: cart.name }).await.unwrap().into_inner();
    assert!(left.items.is_empty(), "nothing of it is kept");
}
