//! `kontor.order.v1.CartService`.

use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::cart_service_server::CartService;
use kontor_runtime::{Caller, Fault, convert};
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
        let key = parse::key(&caller, "CreateCart", &mut request, |request| &mut request.request_id);
        let (user, cart) = (caller.user(), request.cart.unwrap_or_default());
        if !cart.name.is_empty() {
            return Err(Fault::field("cart.name", "is made by the server and can't be chosen").into());
        }
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
        let key = parse::key(&caller, "UpdateCart", &mut request, |request| &mut request.request_id);
        let pb::UpdateCartRequest { cart, update_mask, .. } = request;
        let cart = cart.unwrap_or_default();
        let id = parse::cart(&cart.name).map_err(|_| Fault::field("cart.name", "must name a cart: carts/{id}"))?;
        let change = ContactChange { key, ..change(cart, update_mask.map(|mask| mask.paths))? };
        Ok(Response::new(wire::cart(&self.0.update_cart(&id, caller.user(), &change).await?)))
    }

    async fn set_cart_item(&self, request: Request<pb::SetCartItemRequest>) -> Result<Response<pb::Cart>, Status> {
        let caller = Caller::of(&request);
        let mut request = request.into_inner();
        let key = parse::key(&caller, "SetCartItem", &mut request, |request| &mut request.request_id);
        let id = parse::cart(&request.cart)?;
        let (variant, quantity) = (request.variant, request.quantity.unwrap_or_default());
        let change = ItemChange { variant, quantity, key };
        Ok(Response::new(wire::cart(&self.0.set_item(&id, caller.user(), &change).await?)))
    }
}

/// The fields that the mask names; without a mask those that are set (AIP-134).
fn change(cart: pb::Cart, mask: Option<Vec<String>>) -> Result<ContactChange, Status> {
    if mask.is_none() && !cart.currency_code.is_empty() {
        return Err(Fault::field("cart.currency_code", "is set once, when the cart is made").into());
    }
    let set = [("email", !cart.email.is_empty()), ("shipping_address", cart.shipping_address.is_some())];
    let set_paths = set.into_iter().filter(|(_, is_set)| *is_set).map(|(path, _)| path.to_owned());
    let paths = mask.unwrap_or_else(|| set_paths.collect());
    let address = cart.shipping_address.map(|address| parse::address("cart.shipping_address", address)).transpose()?;
    let mut change = ContactChange::default();
    for path in paths {
        match path.as_str() {
            "email" => change.email = Some(cart.email.clone()),
            "shipping_address" => change.shipping_address = Some(address.clone()),
            other => {
                let rule = format!("{other:?} can't be changed here; email and shipping_address can");
                return Err(Fault::field("update_mask", rule).into());
            }
        }
    }
    Ok(change)
}
