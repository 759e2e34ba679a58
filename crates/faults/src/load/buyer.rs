//! A buyer: one trip to the shop after the other.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use kontor_proto::kontor::order::v1 as pb;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::after;
use super::heard::Heard;
use super::lane::Lane;
use super::trip::{Cancel, Placed, Trip};
use crate::dice::Dice;

/// How long a caller insists on an answer. No fault lasts nearly as long.
const INSIST_MAX: Duration = Duration::from_secs(180);

/// How long an impatient buyer waits for an order.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Buys until it is enough.
pub(super) async fn buy(shared: Arc<Shared>) {
    while !shared.enough.load(Ordering::Relaxed) {
        let number = shared.tried.fetch_add(1, Ordering::Relaxed);
        let mut dice = Dice::of(shared.plan.seed, "buyer", number);
        let trip = Trip::plan(&mut dice, &shared.shop);
        shared.go(&trip, &mut dice).await;
        if dice.percent(20) {
            shared.send_again(&mut dice).await;
        }
    }
}

impl Shared {
    pub(super) fn lane(&self, by_grpc: bool) -> &Lane {
        if by_grpc { &self.lanes.grpc } else { &self.lanes.http }
    }

    async fn go(&self, trip: &Trip, dice: &mut Dice) {
        let Some(cart) = self.fill_cart(trip, dice).await else { return };
        let request = pb::PlaceOrderRequest {
            cart: cart.name.clone(),
            expected_total: cart.total,
            payment_token: trip.payment_token.to_owned(),
            request_id: trip.key.to_string(),
        };
        let placed = Placed { request, key: trip.key, by_grpc: trip.by_grpc };
        let Some(order) = self.place(trip, &placed, dice).await else { return };
        if trip.again_later {
            self.later.lock().unwrap_or_else(PoisonError::into_inner).push(placed);
        }
        after::go_on(self, trip, order, dice).await;
    }

    async fn fill_cart(&self, trip: &Trip, dice: &mut Dice) -> Option<pb::Cart> {
        let lane = self.lane(trip.by_grpc);
        let request = pb::CreateCartRequest { cart: None, request_id: dice.uuid().to_string() };
        let mut cart = self.must("CreateCart", dice, || lane.create_cart(request.clone())).await?;
        for (variant, quantity) in &trip.lines {
            let request = pb::SetCartItemRequest {
                cart: cart.name.clone(),
                variant: variant.clone(),
                quantity: Some(*quantity),
                request_id: String::new(),
            };
            match self.insist("SetCartItem", dice, || lane.set_item(request.clone())).await? {
                Ok(filled) => cart = filled,
                Err(reason) if reason == "INSUFFICIENT_STOCK" => {
                    self.book.out_of_stock();
                    return None;
                }
                Err(reason) => {
                    self.book.surprise(format!("SetCartItem in {} was refused: {reason}", cart.name));
                    return None;
                }
            }
        }
        Some(cart)
    }

    /// Places the order, perhaps by two calls at once, and perhaps with a cancellation meanwhile.
    async fn place(&self, trip: &Trip, placed: &Placed, dice: &mut Dice) -> Option<pb::Order> {
        let mut others = Dice::of(dice.between(0, u64::MAX), "second call", 0);
        let mut thirds = Dice::of(dice.between(0, u64::MAX), "cancellation", 0);
        let answered = CancellationToken::new();
        let first = async {
            let order = self.place_once(placed, dice).await;
            answered.cancel();
            order
        };
        let second = async { if trip.twice { self.place_once(placed, &mut others).await } else { None } };
        let cancelled = async {
            let waited = match trip.cancel {
                Cancel::Meanwhile => true,
                Cancel::Impatiently => tokio::time::timeout(PATIENCE, answered.cancelled()).await.is_err(),
                Cancel::Never | Cancel::Afterwards => false,
            };
            if waited {
                after::cancel_meanwhile(self, placed, &mut thirds).await;
            }
        };
        let (first, second, ()) = tokio::join!(first, second, cancelled);
        let order = first.or(second);
        if order.is_none() {
            self.book.out_of_stock();
        }
        order
    }

    /// Sends the call until there is an answer. None: there were too few units.
    async fn place_once(&self, placed: &Placed, dice: &mut Dice) -> Option<pb::Order> {
        let lane = self.lane(placed.by_grpc);
        match self.insist("PlaceOrder", dice, || lane.place(placed.request.clone())).await? {
            Ok(order) => {
                self.book.ack(placed.key, &order);
                Some(order)
            }
            Err(reason) if reason == "INSUFFICIENT_STOCK" => None,
            Err(reason) => {
                self.book
                    .surprise(format!("PlaceOrder {} of {} was refused: {reason}", placed.key, placed.request.cart));
                None
            }
        }
    }

    /// Sends a call again that was answered long ago; it may be the other way this time.
    async fn send_again(&self, dice: &mut Dice) {
        let placed = {
            let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
            let count = u64::try_from(later.len()).unwrap_or_default();
            let Some(last) = count.checked_sub(1) else { return };
            later.swap_remove(usize::try_from(dice.between(0, last)).unwrap_or_default())
        };
        let placed = Placed { by_grpc: dice.percent(50), ..placed };
        if self.place_once(&placed, dice).await.is_none() {
            self.book.surprise(format!("PlaceOrder {} was answered with an order, and later was not", placed.key));
        }
    }

    /// Sends a call that must be answered well.
    pub(super) async fn must<T, F>(&self, what: &str, dice: &mut Dice, call: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Heard<T>>,
    {
        match self.insist(what, dice, call).await? {
            Ok(answer) => Some(answer),
            Err(reason) => {
                self.book.surprise(format!("{what} was refused: {reason}"));
                None
            }
        }
    }

    /// Sends the same call until there is an answer: good, or a refusal with its reason.
    pub(super) async fn insist<T, F>(
        &self,
        what: &str,
        dice: &mut Dice,
        call: impl Fn() -> F,
    ) -> Option<Result<T, String>>
    where
        F: Future<Output = Heard<T>>,
    {
        let began = Instant::now();
        while began.elapsed() < INSIST_MAX {
            match call().await {
                Heard::Done(answer) => return Some(Ok(answer)),
                Heard::Refused(reason) => return Some(Err(reason)),
                Heard::Nothing(text) => self.book.no_answer(&format!("{what}: {text}")),
                Heard::Fault(text) => self.book.fault(format!("{what}: {text}")),
            }
            sleep(dice.millis(100, 1200)).await;
        }
        self.book.surprise(format!("{what} got no answer in {} s", INSIST_MAX.as_secs()));
        None
    }
}
