//! Placing an order: what is answered is durable, and everything after acceptance goes on without the caller.

use kontor_failpoints::{At, pass};
use kontor_postgres::idempotency::{Key, insert, replay};
use kontor_postgres::{StoreError, retry};
use kontor_types::Money;
use kontor_types::ids::{OrderId, UserId};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OwnedSemaphorePermit;

use super::carts::open;
use super::trip::Trip;
use super::{Error, Orders};
use crate::domain::cart::{self, CartId};
use crate::domain::order::{self, Order, OrderNumber, Snapshot, State};
use crate::store;
use crate::store::sagas::NewSaga;

/// What is to be ordered.
#[derive(Debug)]
pub struct PlaceOrder {
    pub cart: CartId,
    /// Who calls; none for a guest.
    pub user: Option<UserId>,
    pub expected_total: Money,
    pub payment_token: SecretString,
    pub key: Option<Key>,
}

enum Accepted {
    /// A new order, for this process to drive.
    New(Box<Trip>),
    /// The same call was answered before, with this order.
    Before(OrderId),
}

impl Orders {
    /// Orders what is in a cart, and waits a while for the order's end. The order comes back as it then stands.
    pub async fn place(&self, request: &PlaceOrder) -> Result<Order, Error> {
        if let Some(order) = self.answered(request.key.as_ref()).await? {
            return self.wait_until(order, has_ended).await;
        }
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        let snapshot = match self.snapshot(request).await {
            Ok(snapshot) => snapshot,
            // The same call may have been accepted beside this one meanwhile, and have taken the last unit.
            Err(error) => {
                let order = self.answered(request.key.as_ref()).await?.ok_or(error)?;
                return self.wait_until(order, has_ended).await;
            }
        };
        pass("order.accept", At::Before).await;
        match retry("accept", || self.accept_once(request, &snapshot)).await? {
            Accepted::Before(order) => self.wait_until(order, has_ended).await,
            Accepted::New(trip) => self.drive_and_wait(*trip, turn).await,
        }
    }

    async fn snapshot(&self, request: &PlaceOrder) -> Result<Snapshot, Error> {
        let cart = open(self.find_cart(&request.cart, request.user).await?)?;
        let offers = self.offers_for(&cart).await?;
        Ok(order::accept(cart::price(cart, &offers)?, request.user, request.expected_total)?)
    }

    /// One transaction: the cart's tie, the order, its saga, its event, the answer's key. After it, the order exists.
    async fn accept_once(&self, request: &PlaceOrder, snapshot: &Snapshot) -> Result<Accepted, Error> {
        let mut tx = self.pool.begin().await?;
        let cart = store::carts::lock(&mut tx, &request.cart).await?;
        if let Some(order) = replay(&mut tx, request.key.as_ref()).await? {
            return Ok(Accepted::Before(OrderId(order)));
        }
        // What was priced is what is ordered, or nothing is.
        let cart = open(cart.ok_or_else(|| Error::NotFound(request.cart.to_string()))?)?;
        let items = cart.items.iter().map(|item| (item.variant, item.quantity));
        if !items.eq(snapshot.lines.iter().map(|line| (line.variant, line.quantity))) {
            return Err(Error::CartChanged);
        }
        // Who buys and where it goes may have changed since; the cart is locked now.
        let (email, shipping_address) = (cart.email, cart.shipping_address);
        let snapshot = &Snapshot { email, shipping_address, ..snapshot.clone() };
        let id = OrderId::generate();
        let trace_parent = kontor_runtime::propagation::current();
        let number = OrderNumber::from_random(rand::random());
        let order = store::orders::insert(&mut tx, id, &number, snapshot).await?;
        let token = request.payment_token.expose_secret();
        let (trace_parent, time_max) = (trace_parent.as_deref(), self.order_time_max);
        let saga = NewSaga { order: id, payment_token: token, trace_parent, time_max };
        let claim = store::sagas::insert(&mut tx, &self.lease, &saga).await?;
        store::carts::set_order(&mut tx, &request.cart, Some(id)).await?;
        // Another call with this key, on another cart, may have been faster.
        if !insert(&mut tx, request.key.as_ref(), &id.0).await? {
            return Err(StoreError::KeyReused.into());
        }
        self.commit(tx, &order, "order.accept").await?;
        Ok(Accepted::New(Box::new(Trip::fresh(order, claim))))
    }

    /// Waits for the driver, who goes on without us. If the order changes hands meanwhile, whoever has it is waited for.
    async fn drive_and_wait(&self, trip: Trip, turn: OwnedSemaphorePermit) -> Result<Order, Error> {
        let accepted = trip.order.clone();
        let driven = self.spawn_drive(trip, turn);
        match tokio::time::timeout(self.answer_wait, driven).await {
            Ok(Ok(Some(ended))) => Ok(ended),
            Ok(Ok(None)) if !self.stop.is_cancelled() => self.wait_until(accepted.id, has_ended).await,
            _ => Ok(accepted),
        }
    }

    /// The order that the same call was answered with before.
    async fn answered(&self, key: Option<&Key>) -> Result<Option<OrderId>, Error> {
        if key.is_none() {
            return Ok(None);
        }
        let order = replay(&mut *self.pool.acquire().await?, key).await?;
        Ok(order.map(OrderId))
    }
}

fn has_ended(order: &Order) -> bool {
    order.state != State::Processing
}
