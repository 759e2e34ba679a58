//! Placing an order: what is answered is durable, and everything after acceptance goes on without the caller.

use std::time::Duration;

use kontor_postgres::idempotency::{self, Key, Seen};
use kontor_postgres::retry;
use kontor_types::Money;
use kontor_types::ids::{OrderId, UserId};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;
use uuid::Uuid;

use super::carts::open;
use super::{Error, Orders};
use crate::domain::cart::{self, CartId};
use crate::domain::order::{self, Order, OrderNumber, Snapshot, State};
use crate::store::sagas::Claim;
use crate::{events, store};

/// How long the caller waits for the end.
const WAIT_MAX: Duration = Duration::from_secs(3);
/// How often an order that somebody else drives is looked at meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is to be ordered.
#[derive(Debug)]
pub struct PlaceOrder {
    /// The cart.
    pub cart: CartId,
    /// Who calls; none for a guest.
    pub user: Option<UserId>,
    /// What the buyer agreed to pay.
    pub expected_total: Money,
    /// What the buyer pays with.
    pub payment_token: SecretString,
    /// By what a repetition is recognised.
    pub key: Option<Key>,
}

/// What acceptance came to.
enum Accepted {
    /// A new order, for this process to drive.
    New(Box<Order>, Claim),
    /// The same call was answered before, with this order.
    Before(OrderId),
}

impl Orders {
    /// Orders what is in a cart, and waits a while for the order's end. The order comes back as it then stands.
    pub async fn place(&self, request: &PlaceOrder) -> Result<Order, Error> {
        if let Some(order) = self.answered(request.key.as_ref()).await? {
            return self.wait_for(order).await;
        }
        let turn = self.turns.clone().try_acquire_owned().map_err(|_| Error::Busy)?;
        let snapshot = match self.snapshot(request).await {
            Ok(snapshot) => snapshot,
            // The same call may have been accepted beside this one meanwhile, and have taken the last unit.
            Err(error) => return self.wait_for(self.answered(request.key.as_ref()).await?.ok_or(error)?).await,
        };
        match retry("accept", || self.accept_once(request, &snapshot)).await? {
            Accepted::Before(order) => self.wait_for(order).await,
            Accepted::New(order, claim) => self.drive_and_wait(*order, claim, turn).await,
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
        if let Some(order) = find_answer(&mut tx, request.key.as_ref()).await? {
            return Ok(Accepted::Before(order));
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
        let claim = store::sagas::insert(&mut tx, id, token, trace_parent.as_deref()).await?;
        store::carts::set_order(&mut tx, &request.cart, Some(id)).await?;
        events::append_order(&mut tx, &order).await?;
        if let Some(key) = &request.key
            && !idempotency::insert(&mut tx, key, id.0.as_bytes()).await?
        {
            // Another call with this key, on another cart, was faster.
            return Err(Error::KeyReused);
        }
        tx.commit().await?;
        Ok(Accepted::New(Box::new(order), claim))
    }

    /// Drives the order in a task of its own: the caller's deadline must not end it.
    async fn drive_and_wait(&self, order: Order, claim: Claim, turn: OwnedSemaphorePermit) -> Result<Order, Error> {
        let orders = self.clone();
        let accepted = order.clone();
        let driving = async move {
            let _turn = turn;
            orders.drive(order, claim).await
        };
        let driven = self.driving.spawn(driving.in_current_span());
        match tokio::time::timeout(WAIT_MAX, driven).await {
            Ok(Ok(Some(ended))) => Ok(ended),
            _ => Ok(accepted),
        }
    }

    async fn answered(&self, key: Option<&Key>) -> Result<Option<OrderId>, Error> {
        if key.is_none() {
            return Ok(None);
        }
        find_answer(&mut *self.pool.acquire().await?, key).await
    }

    /// An order that was accepted before, once it has ended or the caller has waited long enough.
    async fn wait_for(&self, id: OrderId) -> Result<Order, Error> {
        let until = tokio::time::Instant::now() + WAIT_MAX;
        loop {
            let order = self.find_order(id).await?;
            if order.state != State::Processing || tokio::time::Instant::now() >= until {
                return Ok(order);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// The order that the same call was answered with before.
async fn find_answer(conn: &mut sqlx::PgConnection, key: Option<&Key>) -> Result<Option<OrderId>, Error> {
    let Some(key) = key else { return Ok(None) };
    match idempotency::find(conn, key).await? {
        Seen::Never => Ok(None),
        Seen::Answered(id) => Ok(Uuid::from_slice(&id).ok().map(OrderId)),
        Seen::Otherwise => Err(Error::KeyReused),
    }
}
