//! The catalog: offers, and the order's claim on stock.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::inventory_service_client::InventoryServiceClient;
use kontor_proto::kontor::catalog::v1::reservation::State;
use kontor_proto::kontor::catalog::v1::variant_service_client::VariantServiceClient;
use kontor_runtime::fault::{self, ErrorReason};
use kontor_runtime::{Peer, convert};
use kontor_types::ids::{OrderId, VariantName};
use tonic::{Response, Status};

use super::{PeerError, failed};
use crate::domain::cart::{Offer, Shortage};
use crate::domain::order::Line;
use crate::domain::refund::RestockLine;
use crate::domain::saga::Answer;

const PEER: &str = "catalog";

/// The catalog, as this service sees it.
#[derive(Clone)]
pub struct Catalog {
    variants: VariantServiceClient<Peer>,
    inventory: InventoryServiceClient<Peer>,
}

impl Catalog {
    /// Over a peer.
    pub fn new(peer: Peer) -> Self {
        Self { variants: VariantServiceClient::new(peer.clone()), inventory: InventoryServiceClient::new(peer) }
    }

    /// What the catalog says of some variants, in the order asked for. Names may hold a product's handle.
    pub async fn offers(&self, names: Vec<String>) -> Result<Vec<Offer>, PeerError> {
        let request = pb::BatchGetVariantsRequest { parent: "products/-".into(), names };
        let answer = self.variants.clone().batch_get_variants(request).await;
        let answer = answer.map_err(|status| PeerError::from_status(PEER, status))?;
        answer.into_inner().variants.into_iter().map(offer).collect()
    }

    /// Holds the units of an order.
    pub async fn reserve(&self, order: OrderId, lines: &[Line]) -> Answer {
        let line = |line: &Line| pb::ReservationLine { variant: line.variant.to_string(), quantity: line.quantity };
        let request = pb::ReserveStockRequest { order: order.to_string(), lines: lines.iter().map(line).collect() };
        read(self.inventory.clone().reserve_stock(request).await)
    }

    /// Takes the units that an order holds.
    pub async fn confirm(&self, order: OrderId) -> Answer {
        let request = pb::ConfirmReservationRequest { order: order.to_string() };
        match read(self.inventory.clone().confirm_reservation(request).await) {
            Answer::Reserved => Answer::Confirmed,
            other => other,
        }
    }

    /// Lets the units of an order go.
    pub async fn release(&self, order: OrderId) -> Answer {
        let request = pb::ReleaseReservationRequest { order: order.to_string() };
        let answer = match self.inventory.clone().release_reservation(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) if fault::reason_of(&status) == Some(ErrorReason::ReservationEnded) => {
                return Answer::Confirmed;
            }
            Err(status) => return failed(PEER, &status),
        };
        match answer.state() {
            // Released now or before, or refused from the start: it holds nothing.
            State::Released | State::Refused => Answer::Released,
            state => odd(state),
        }
    }

    /// Puts units that a refund brings back into stock.
    pub async fn take_back(&self, refund: &str, lines: &[RestockLine]) -> Answer {
        let line =
            |line: &RestockLine| pb::ReservationLine { variant: line.variant.to_string(), quantity: line.quantity };
        let request = pb::ReturnStockRequest { refund: refund.into(), lines: lines.iter().map(line).collect() };
        match self.inventory.clone().return_stock(request).await {
            Ok(_) => Answer::Restocked,
            Err(status) => failed(PEER, &status),
        }
    }
}

/// A reservation as an answer to a step. [`Catalog::confirm`] and [`Catalog::release`] read it in their own light.
fn read(answer: Result<Response<pb::Reservation>, Status>) -> Answer {
    let reservation = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            return match fault::reason_of(&status) {
                Some(ErrorReason::ReservationEnded) => Answer::UnitsGone,
                Some(ErrorReason::ReservationExpired) => Answer::HoldExpired,
                _ => failed(PEER, &status),
            };
        }
    };
    match reservation.state() {
        State::Held | State::Confirmed => Answer::Reserved,
        State::Released => Answer::UnitsGone,
        State::Refused => Answer::TooFew(reservation.shortages.into_iter().filter_map(shortage).collect()),
        state @ (State::Expired | State::Unspecified) => odd(state),
    }
}

fn odd(state: State) -> Answer {
    Answer::Contradiction(format!("the catalog answered with a reservation that is {}", state.as_str_name()))
}

fn shortage(shortage: pb::Shortage) -> Option<Shortage> {
    Some(Shortage {
        variant: VariantName::from_name(&shortage.variant).ok()?,
        sku: shortage.sku,
        requested: shortage.requested_quantity,
        available: shortage.available_quantity,
    })
}

fn offer(variant: pb::Variant) -> Result<Offer, PeerError> {
    let nonsense = |missing| PeerError::Nonsense { peer: PEER, missing };
    let price = variant.price.ok_or_else(|| nonsense("a price"))?;
    Ok(Offer {
        variant: VariantName::from_name(&variant.name).map_err(|_| nonsense("a variant's name"))?,
        title: variant.product_title,
        sku: variant.sku,
        options: variant.options.into_iter().collect(),
        price: convert::money_from_wire("price", &price).map_err(|_| nonsense("a price that can be"))?,
        available: variant.available_quantity,
        for_sale: variant.for_sale,
    })
}
