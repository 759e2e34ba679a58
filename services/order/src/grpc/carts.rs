//! `kontor.order.v1.CartService`.

use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::cart_service_server::CartService;
use kontor_runtime::request::{key as idempotency_key, no_name, update_mask};
use kontor_runtime::{Caller, Fault, convert};
use prost_types::FieldMask;
use tonic::{Request, Response, Status};

use super::parse;
use crate::ops::{ContactChange, ItemChange, NewCart, Orders};
use crate::wire;

pub(super) struct Carts(pub(super) Orders);

#[tonic::async_trait]
impl CartService for Carts {
    async fn create_cart(&self, request: Request<pb::CreateCartRequest>) -> Result<Response<pb::Cart>, Status> {
        let caller = Caller::of(&request);
        let mut request = request.into_inner();
        let key = idempotency_key(&caller, "CreateCart", &mut request, |request| &mut request.request_id);
        let (user, cart) = (caller.user(), request.cart.unwrap_or_default());
        no_name("cart.name", &cart.name)?;
        let currency = convert::currency_from_wire("cart.currency_code", &cart.currency_code)?;
        let address = cart.shipping_address.map(|address| parse::address("cart.shipping_address", address));
        let new = NewCart { user, currency, email: cart.email, shipping_address: address.transpose()?, key };
        Ok(Response::new(wire::cart(&self.0.create_cart(&new).await?)))
    }

    async fn get_cart(&self, request: Request<pb::GetCartRequest>) -> Result<Response<pb::Cart>, Status> {
        let user = Caller::of(&request).user();
        let id = parse::cart(&request.into_inner().name)?;
        Ok(Response::new(wire::cart(&self.0.get_cart(&id, user).await?)))
    }

    async fn update_cart(&self, request: Request<pb::UpdateCartRequest>) -> Result<Response<pb::Cart>, Status> {
        let caller = Caller::of(&request);
        let mut request = request.into_inner();
        let key = idempotency_key(&caller, "UpdateCart", &mut request, |request| &mut request.request_id);
        let pb::UpdateCartRequest { cart, update_mask, .. } = request;
        let cart = cart.unwrap_or_default();
        let id = parse::cart(&cart.name).map_err(|_| Fault::field("cart.name", "must name a cart: carts/{id}"))?;
        let change = ContactChange { key, ..change(cart, update_mask)? };
        Ok(Response::new(wire::cart(&self.0.update_cart(&id, caller.user(), &change).await?)))
    }

    async fn set_cart_item(&self, request: Request<pb::SetCartItemRequest>) -> Result<Response<pb::Cart>, Status> {
        let caller = Caller::of(&request);
        let mut request = request.into_inner();
        let key = idempotency_key(&caller, "SetCartItem", &mut request, |request| &mut request.request_id);
        let id = parse::cart(&request.cart)?;
        let (variant, quantity) = (request.variant, request.quantity.unwrap_or_default());
        let change = ItemChange { variant, quantity, key };
        Ok(Response::new(wire::cart(&self.0.set_item(&id, caller.user(), &change).await?)))
    }
}

/// The fields that the mask names; without a mask those that are set.
fn change(cart: pb::Cart, mask: Option<FieldMask>) -> Result<ContactChange, Status> {
    if mask.as_ref().is_none_or(|mask| mask.paths.is_empty()) && !cart.currency_code.is_empty() {
        return Err(Fault::field("cart.currency_code", "is set once, when the cart is made").into());
    }
    let fields = [("email", !cart.email.is_empty()), ("shipping_address", cart.shipping_address.is_some())];
    let paths = update_mask(mask, &fields)?;
    let address = cart.shipping_address.map(|address| parse::address("cart.shipping_address", address)).transpose()?;
    let mut change = ContactChange::default();
    if paths.contains(&"email") {
        change.email = Some(cart.email);
    }
    if paths.contains(&"shipping_address") {
        change.shipping_address = Some(address);
    }
    Ok(change)
}
