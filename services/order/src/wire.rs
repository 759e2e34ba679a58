//! From the types of this service to messages of the contract.

use kontor_proto::google::r#type::PostalAddress;
use kontor_proto::kontor::order::v1 as pb;
use kontor_runtime::convert::{money_to_wire, time_to_wire};

use crate::domain::cart::{Address, PricedCart, PricedItem, Shortage};
use crate::domain::order::{Line, Order, PaymentState, Rejection, State};

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
            refunded_amount: None,
        }),
        rejection: order.rejection.as_ref().map(rejection),
        create_time: Some(time_to_wire(order.create_time)),
        update_time: Some(time_to_wire(order.update_time)),
        cancellation: None,
        refunds: Vec::new(),
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

fn rejection(rejection: &Rejection) -> pb::Rejection {
    use pb::rejection::Reason;
    match rejection {
        Rejection::OutOfStock(short) => pb::Rejection {
            reason: Reason::OutOfStock.into(),
            message: out_of_stock(short),
            shortages: short.iter().map(shortage).collect(),
            decline_code: String::new(),
        },
        Rejection::PaymentDeclined(code) => pb::Rejection {
            reason: Reason::PaymentDeclined.into(),
            message: "the payment was declined".into(),
            shortages: Vec::new(),
            decline_code: code.clone(),
        },
    }
}

fn out_of_stock(short: &[Shortage]) -> String {
    let one = |s: &Shortage| format!("{} of {} left, {} ordered", s.available, label(s), s.requested);
    match short {
        [] => "the units are not held any more".into(),
        short => short.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}

/// What people call a short variant: its SKU, or its name if it has none.
pub fn label(shortage: &Shortage) -> String {
    if shortage.sku.is_empty() { shortage.variant.to_string() } else { shortage.sku.clone() }
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
