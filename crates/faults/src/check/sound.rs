//! A small world in which everything holds, for tests that break it.

use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::catalog::v1 as catalog;
use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::order::State;
use uuid::Uuid;

use super::journal::Payment;
use super::rows::{Event, MovementRow, OrderRow, ReservationRow, Rows, StockRow};
use super::{Found, check};
use crate::load::{Ack, Facts, RefundAck, Sku};

const VARIANT: Uuid = Uuid::from_u128(1);
const COMPLETED: Uuid = Uuid::from_u128(2);
const REJECTED: Uuid = Uuid::from_u128(3);

/// The promises that are broken, each once, in the order of the alphabet.
pub(super) fn broken(found: &Found) -> Vec<&'static str> {
    let mut promises: Vec<_> = check(found).into_iter().map(|violation| violation.promise).collect();
    promises.sort_unstable();
    promises.dedup();
    promises
}

/// Ten units. One order took three, paid 30.00, and gave one unit and 10.00 back; another was rejected.
pub(super) fn sound() -> Found {
    Found {
        skus: vec![Sku { variant: variant(), id: VARIANT, sku: "HOT".into(), initial: 10 }],
        rows: Rows {
            stock: vec![StockRow { variant_id: VARIANT, on_hand: 8, reserved: 0 }],
            movements: [10, -3, 1].map(|delta| MovementRow { variant_id: VARIANT, delta }).into(),
            reservations: vec![reservation(COMPLETED, "CONFIRMED"), reservation(REJECTED, "RELEASED")],
            orders: vec![order(COMPLETED, "COMPLETED"), order(REJECTED, "REJECTED")],
            catalog_events: vec![returned(), Event { aggregate: format!("reservations/{REJECTED}"), ..event(4, 1) }],
            order_events: vec![
                said(COMPLETED, 1, State::Processing),
                said(COMPLETED, 2, State::Completed),
                said(REJECTED, 1, State::Processing),
                said(REJECTED, 2, State::Rejected),
            ],
            ..Rows::default()
        },
        payments: vec![
            Payment { captured_minor: 3000, refunded_minor: 1000, ..payment(COMPLETED, "CAPTURED") },
            payment(REJECTED, "VOIDED"),
        ],
        told: Facts {
            acks: vec![ack(COMPLETED, State::Completed), ack(REJECTED, State::Rejected)],
            refunds: vec![RefundAck { key: Uuid::from_u128(9), order: format!("orders/{COMPLETED}") }],
            ..Facts::default()
        },
        ..Found::default()
    }
}

fn variant() -> String {
    format!("products/{}/variants/{VARIANT}", Uuid::nil())
}

fn order(id: Uuid, state: &str) -> OrderRow {
    let captured_minor = if state == "COMPLETED" { 3000 } else { 0 };
    let (cart_id, total_minor) = (id.to_string(), 3000);
    let refunded_minor = captured_minor / 3;
    OrderRow { id, state: state.into(), cart_id, total_minor, captured_minor, refunded_minor, version: 2 }
}

fn reservation(order_id: Uuid, state: &str) -> ReservationRow {
    let version = Some(1);
    ReservationRow { order_id, state: state.into(), variant_ids: vec![VARIANT], quantities: vec![3], version }
}

fn payment(order: Uuid, state: &str) -> Payment {
    Payment {
        authorization_key: format!("{order}:auth:1"),
        order: Some(format!("orders/{order}")),
        state: state.into(),
        captured_minor: 0,
        refunded_minor: 0,
    }
}

fn ack(order: Uuid, state: State) -> Ack {
    Ack { key: order, order: format!("orders/{order}"), state, total_minor: 3000 }
}

fn event(id: u128, version: i64) -> Event {
    Event { id: Uuid::from_u128(id), version, ..Event::default() }
}

fn said(order: Uuid, version: i64, state: State) -> Event {
    let name = format!("orders/{order}");
    let mut said = pb::Order { name: name.clone(), state: state.into(), ..Default::default() };
    if state == State::Completed {
        let ten = || Some(Money { currency_code: "USD".into(), units: 10, nanos: 0 });
        said.payment = Some(pb::OrderPayment { refunded_amount: ten(), ..Default::default() });
        let restock = vec![pb::RestockLine { variant: variant(), quantity: 1 }];
        said.refunds = vec![pb::OrderRefund { state: 2, amount: ten(), restock, ..Default::default() }];
    }
    let id = order.as_u128() * 100 + version.unsigned_abs() as u128;
    Event { aggregate: name, order: Some(said), ..event(id, version) }
}

fn returned() -> Event {
    let reservation = catalog::Reservation {
        order: format!("orders/{COMPLETED}"),
        returned_lines: vec![catalog::ReservationLine { variant: variant(), quantity: 1 }],
        ..Default::default()
    };
    Event { aggregate: format!("reservations/{COMPLETED}"), reservation: Some(reservation), ..event(5, 1) }
}
