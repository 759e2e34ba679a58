//! From the types of this service to messages of the contract.

use kontor_proto::google::r#type::PostalAddress;
use kontor_proto::kontor::order::v1 as pb;
use kontor_runtime::convert::{money_to_wire, time_to_wire};
use kontor_types::ids::OrderId;

use crate::domain::cart::{Address, PricedCart, PricedItem, Shortage};
use crate::domain::history::Recorded;
use crate::domain::order::{Line, Order, PaymentState, Rejection, State};
use crate::domain::refund::{Refund, RefundState, RestockLine};

/// A cart with today's prices.
pub fn cart(priced: &PricedCart) -> pb::Cart {
    let cart = &priced.cart;
    pb::Cart {
        name: cart.id.to_string(),
        currency_code: cart.currency.code().into(),
        email: cart.email.clone(),
        shipping_address: cart.shipping_address.as_ref().map(address),
        items: priced.items.iter().map(item).collect(),
        subtotal: Some(money_to_wire(priced.total)),
        total: Some(money_to_wire(priced.total)),
        order: cart.order.map(|order| order.to_string()).unwrap_or_default(),
        user: cart.user.map(|user| user.to_string()).unwrap_or_default(),
        create_time: Some(time_to_wire(cart.create_time)),
        update_time: Some(time_to_wire(cart.update_time)),
    }
}

fn item(priced: &PricedItem) -> pb::CartItem {
    let offer = priced.offer.as_ref();
    pb::CartItem {
        variant: priced.item.variant.to_string(),
        quantity: priced.item.quantity,
        title: offer.map(|offer| offer.title.clone()).unwrap_or_default(),
        sku: offer.map(|offer| offer.sku.clone()).unwrap_or_default(),
        unit_price: priced.total.and(offer).map(|offer| money_to_wire(offer.price)),
        total: priced.total.map(money_to_wire),
    }
}

/// An order, without its cart: the cart's name is for whoever placed it.
pub fn order(order: &Order) -> pb::Order {
    let snapshot = &order.snapshot;
    pb::Order {
        name: order.id.to_string(),
        number: order.number.to_string(),
        state: state(order.state).into(),
        cart: String::new(),
        user: snapshot.user.map(|user| user.to_string()).unwrap_or_default(),
        email: snapshot.email.clone(),
        shipping_address: snapshot.shipping_address.as_ref().map(address),
        lines: snapshot.lines.iter().map(line).collect(),
        subtotal: Some(money_to_wire(snapshot.total)),
        total: Some(money_to_wire(snapshot.total)),
        payment: Some(pb::OrderPayment {
            state: payment_state(order.payment).into(),
            captured_amount: Some(money_to_wire(order.captured)),
            refunded_amount: Some(money_to_wire(order.refunded)),
        }),
        rejection: order.rejection.as_ref().map(rejection),
        create_time: Some(time_to_wire(order.create_time)),
        update_time: Some(time_to_wire(order.update_time)),
        cancellation: order.cancellation.as_ref().map(|cancellation| pb::Cancellation {
            reason: cancellation.reason.clone(),
            create_time: Some(time_to_wire(cancellation.create_time)),
        }),
        refunds: order.refunds.iter().map(|given| refund(order.id, given)).collect(),
    }
}

fn line(line: &Line) -> pb::OrderLine {
    pb::OrderLine {
        variant: line.variant.to_string(),
        title: line.title.clone(),
        sku: line.sku.clone(),
        options: line.options.clone().into_iter().collect(),
        quantity: line.quantity,
        unit_price: Some(money_to_wire(line.unit_price)),
        total: Some(money_to_wire(line.total)),
    }
}

fn refund(order: OrderId, refund: &Refund) -> pb::OrderRefund {
    use pb::order_refund::State;
    let state = match refund.state {
        RefundState::Pending => State::Pending,
        RefundState::Succeeded => State::Succeeded,
        RefundState::Failed => State::Failed,
    };
    let line = |line: &RestockLine| pb::RestockLine { variant: line.variant.to_string(), quantity: line.quantity };
    pb::OrderRefund {
        name: refund.name(order),
        state: state.into(),
        amount: Some(money_to_wire(refund.amount)),
        restock: refund.restock.iter().map(line).collect(),
        reason: refund.reason.clone(),
        failure: refund.failure.clone(),
        create_time: Some(time_to_wire(refund.create_time)),
        update_time: Some(time_to_wire(refund.update_time)),
    }
}

/// Something that happened to an order.
pub fn history_entry(order: OrderId, recorded: &Recorded) -> pb::OrderHistoryEntry {
    use pb::order_history_entry::{Kind, Step};
    let entry = &recorded.entry;
    pb::OrderHistoryEntry {
        create_time: Some(time_to_wire(entry.time)),
        kind: Kind::from_str_name(entry.kind.word()).unwrap_or_default().into(),
        step: Step::from_str_name(&entry.step).unwrap_or_default().into(),
        attempt: entry.attempt,
        outcome: entry.outcome.clone(),
        message: entry.message.clone(),
        process: recorded.process.clone(),
        epoch: recorded.epoch,
        refund: entry.refund.map(|refund| format!("{order}/refunds/{}", refund.0)).unwrap_or_default(),
    }
}

fn rejection(rejection: &Rejection) -> pb::Rejection {
    use pb::rejection::Reason;
    let message = rejection.to_string();
    match rejection {
        Rejection::OutOfStock(short) => pb::Rejection {
            reason: Reason::OutOfStock.into(),
            message,
            shortages: short.iter().map(shortage).collect(),
            decline_code: String::new(),
        },
        Rejection::PaymentDeclined(code) => pb::Rejection {
            reason: Reason::PaymentDeclined.into(),
            message,
            shortages: Vec::new(),
            decline_code: code.clone(),
        },
        Rejection::NotSettled => {
            pb::Rejection { reason: Reason::NotSettled.into(), message, ..pb::Rejection::default() }
        }
    }
}

fn shortage(shortage: &Shortage) -> pb::LineShortage {
    pb::LineShortage {
        variant: shortage.variant.to_string(),
        sku: shortage.sku.clone(),
        requested_quantity: shortage.requested,
        available_quantity: shortage.available,
    }
}

fn address(address: &Address) -> PostalAddress {
    let Address { region_code, postal_code, administrative_area, locality, .. } = address.clone();
    let Address { address_lines, recipients, organization, .. } = address.clone();
    PostalAddress { region_code, postal_code, administrative_area, locality, address_lines, recipients, organization }
}

fn state(state: State) -> pb::order::State {
    match state {
        State::Processing => pb::order::State::Processing,
        State::Completed => pb::order::State::Completed,
        State::Rejected => pb::order::State::Rejected,
        State::Cancelled => pb::order::State::Cancelled,
    }
}

fn payment_state(state: PaymentState) -> pb::order_payment::State {
    match state {
        PaymentState::Pending => pb::order_payment::State::Pending,
        PaymentState::Captured => pb::order_payment::State::Captured,
        PaymentState::Declined => pb::order_payment::State::Declined,
        PaymentState::Voided => pb::order_payment::State::Voided,
    }
}
