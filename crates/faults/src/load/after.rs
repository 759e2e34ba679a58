//! What buyers and the shop do with an order that was placed: call it off, or send it back.

use std::time::Duration;

use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::order::State;
use tokio::time::{Instant, sleep};

use super::Shared;
use super::book::minor;
use super::heard::Heard;
use super::trip::{Cancel, Placed, Refund, Trip};
use crate::dice::Dice;

/// How long a buyer who wants to cancel looks for the order.
const LOOK_MAX: Duration = Duration::from_secs(5);
/// How long somebody who wants to send an order back waits for its end.
const END_MAX: Duration = Duration::from_secs(30);

/// Goes on with an order that was answered.
pub(super) async fn go_on(shared: &Shared, trip: &Trip, order: pb::Order, dice: &mut Dice) {
    if trip.cancel == Cancel::Afterwards {
        cancel(shared, &order.name, trip, dice).await;
    }
    if trip.refund != Refund::Nothing && keeps(trip.cancel) {
        let Some(order) = ended(shared, trip, order, dice).await else { return };
        if order.state() == State::Completed && minor(order.total.as_ref()) >= 2 {
            refund(shared, trip, &order, dice).await;
        }
    }
}

/// Whether the buyer wanted the order for good, at least while it did not take long.
fn keeps(cancel: Cancel) -> bool {
    matches!(cancel, Cancel::Never | Cancel::Impatiently)
}

/// Looks for the order in its cart while it is being placed, and cancels it.
pub(super) async fn cancel_meanwhile(shared: &Shared, placed: &Placed, dice: &mut Dice) {
    let (lane, began) = (shared.lane(placed.by_grpc), Instant::now());
    while began.elapsed() < LOOK_MAX {
        if let Heard::Done(cart) = lane.get_cart(placed.request.cart.clone()).await
            && !cart.order.is_empty()
        {
            cancel_by(shared, &cart.order, (placed.key, placed.by_grpc), dice).await;
            return;
        }
        sleep(dice.millis(20, 120)).await;
    }
}

async fn cancel(shared: &Shared, order: &str, trip: &Trip, dice: &mut Dice) {
    cancel_by(shared, order, (trip.key, trip.by_grpc), dice).await;
}

/// Cancels an order. That it has ended is an answer as well.
async fn cancel_by(shared: &Shared, order: &str, (key, by_grpc): (uuid::Uuid, bool), dice: &mut Dice) {
    let lane = shared.lane(by_grpc);
    let request = pb::CancelOrderRequest {
        name: order.to_owned(),
        reason: "changed my mind".into(),
        request_id: dice.uuid().to_string(),
    };
    match shared.insist("CancelOrder", dice, || lane.cancel(request.clone())).await {
        Some(Ok(order)) => shared.book.ack(key, &order),
        Some(Err(reason)) if reason == "ORDER_STATE" => {}
        Some(Err(reason)) => shared.book.surprise(format!("CancelOrder of {order} was refused: {reason}")),
        None => {}
    }
}

/// The order, once it has ended.
async fn ended(shared: &Shared, trip: &Trip, mut order: pb::Order, dice: &mut Dice) -> Option<pb::Order> {
    let (lane, began) = (shared.lane(trip.by_grpc), Instant::now());
    while order.state() == State::Processing {
        if began.elapsed() > END_MAX {
            return None;
        }
        sleep(dice.millis(100, 400)).await;
        order = shared.must("GetOrder", dice, || lane.get_order(order.name.clone())).await?;
    }
    shared.book.ack(trip.key, &order);
    Some(order)
}

/// Gives money back, each time by two calls with one key.
async fn refund(shared: &Shared, trip: &Trip, order: &pb::Order, dice: &mut Dice) {
    let total = minor(order.total.as_ref());
    let restock = restock(trip, order, dice);
    if trip.refund == Refund::Whole {
        refund_twice(shared, trip, request(order, None, restock, dice), dice).await;
        return;
    }
    let part = i64::try_from(dice.between(1, u64::try_from(total - 1).unwrap_or(1))).unwrap_or(1);
    refund_twice(shared, trip, request(order, Some(part), restock, dice), dice).await;
    // All that is left.
    refund_twice(shared, trip, request(order, None, Vec::new(), dice), dice).await;
}

/// Some of the order's units, or none.
fn restock(trip: &Trip, order: &pb::Order, dice: &mut Dice) -> Vec<pb::RestockLine> {
    if !trip.restock {
        return Vec::new();
    }
    let line = |line: &pb::OrderLine| {
        let most = u64::try_from(line.quantity).unwrap_or(1).max(1);
        let quantity = i32::try_from(dice.between(1, most)).unwrap_or(1);
        pb::RestockLine { variant: line.variant.clone(), quantity }
    };
    order.lines.iter().map(line).collect()
}

fn request(
    order: &pb::Order,
    amount_minor: Option<i64>,
    restock: Vec<pb::RestockLine>,
    dice: &mut Dice,
) -> pb::RefundOrderRequest {
    let amount = amount_minor.map(|minor| Money {
        currency_code: order.total.as_ref().map(|total| total.currency_code.clone()).unwrap_or_default(),
        units: minor / 100,
        nanos: i32::try_from(minor % 100).unwrap_or_default() * 10_000_000,
    });
    pb::RefundOrderRequest {
        name: order.name.clone(),
        amount,
        restock,
        reason: "came back".into(),
        request_id: dice.uuid().to_string(),
    }
}

async fn refund_twice(shared: &Shared, trip: &Trip, request: pb::RefundOrderRequest, dice: &mut Dice) {
    let Ok(key) = request.request_id.parse() else { return };
    let mut others = Dice::of(dice.between(0, u64::MAX), "second refund", 0);
    let (first, second) = (refund_once(shared, trip, &request, dice), async {
        sleep(others.millis(0, 300)).await;
        refund_once(shared, trip, &request, &mut others).await
    });
    let (first, second) = tokio::join!(first, second);
    if first && second {
        shared.book.refund(key, &request.name);
    }
}

/// True if the refund was answered.
async fn refund_once(shared: &Shared, trip: &Trip, request: &pb::RefundOrderRequest, dice: &mut Dice) -> bool {
    let lane = shared.lane(trip.by_grpc);
    let call = || async {
        let Some(token) = shared.admin.token().await else { return Heard::Nothing("nobody could sign in".into()) };
        let heard = lane.refund(request.clone(), &token).await;
        if let Heard::Refused(reason) = &heard
            && reason.starts_with("TOKEN_")
        {
            shared.admin.forget().await;
            return Heard::Nothing(reason.clone());
        }
        heard
    };
    match shared.insist("RefundOrder", dice, call).await {
        Some(Ok(order)) => {
            shared.book.ack(trip.key, &order);
            true
        }
        Some(Err(reason)) => {
            let name = &request.name;
            shared.book.surprise(format!("RefundOrder {} of {name} was refused: {reason}", request.request_id));
            false
        }
        None => false,
    }
}
