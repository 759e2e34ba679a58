//! What errors on carts and orders are on the wire: the one place where they get a code.

use kontor_runtime::Fault;
use kontor_runtime::fault::{self, ErrorReason};
use tonic::{Code, Status};

use crate::domain::cart::{Refusal, Shortage};
use crate::domain::refund::NotRefundable;
use crate::ops::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotFound(name) => Fault::not_found(&name).into(),
            Error::CartOrdered(order) => {
                Fault::precondition(ErrorReason::CartOrdered, text).metadata("order", order.to_string()).into()
            }
            Error::CartEmpty => Fault::precondition(ErrorReason::CartEmpty, text).into(),
            Error::CartFull(_) => Fault::field("variant", text).into(),
            Error::CartChanged => Fault::new(Code::Aborted, ErrorReason::CartChanged, text).into(),
            Error::TotalChanged(total) => {
                let fault = Fault::precondition(ErrorReason::TotalChanged, &text).failure("expected_total", text);
                fault.metadata("total", total.amount()).metadata("currency_code", total.currency.code()).into()
            }
            Error::Refused(refusal) => refused(&refusal).into(),
            Error::Money(_) => Fault::field("quantity", text).into(),
            Error::OrderState(state) => {
                let fault = Fault::precondition(ErrorReason::OrderState, &text).failure("order", text);
                fault.metadata("state", state.word()).into()
            }
            Error::NotRefundable(why) => not_refundable(&why).into(),
            Error::Busy => {
                Fault::overloaded("driven_orders", format!("{text}; try again with the same request")).into()
            }
            Error::Peer(_) => fault::unavailable(&error),
            Error::Store(error) => fault::store(&error),
        }
    }
}

fn not_refundable(why: &NotRefundable) -> Fault {
    let text = why.to_string();
    match why {
        NotRefundable::State(state) => {
            Fault::precondition(ErrorReason::OrderState, &text).failure("order", text).metadata("state", state.word())
        }
        NotRefundable::TooLarge(left) => {
            let fault = Fault::precondition(ErrorReason::RefundTooLarge, &text).failure("amount", text);
            fault.metadata("refundable", left.amount()).metadata("currency_code", left.currency.code())
        }
        NotRefundable::Amount(_) => Fault::field("amount", text),
        NotRefundable::RestockTooLarge { variant, returnable } => {
            let fault = Fault::precondition(ErrorReason::RestockTooLarge, &text).failure(&variant.to_string(), text);
            fault.metadata("variant", variant.to_string()).metadata("returnable", returnable.to_string())
        }
        NotRefundable::Twice(_) => Fault::field("restock", text),
    }
}

fn refused(refusal: &Refusal) -> Fault {
    let text = refusal.to_string();
    match refusal {
        Refusal::NotForSale(variant) => {
            Fault::precondition(ErrorReason::VariantNotForSale, &text).failure(&variant.to_string(), text)
        }
        Refusal::CurrencyMismatch { variant, .. } => {
            Fault::precondition(ErrorReason::CurrencyMismatch, &text).failure(&variant.to_string(), text)
        }
        Refusal::TooFew(short) => too_few(short),
    }
}

/// Names each line, its SKU and how many units are left. The metadata holds those of the first, for programs.
fn too_few(short: &[Shortage]) -> Fault {
    let sentence = |s: &Shortage| format!("{} of {} left, {} asked for", s.available, s.label(), s.requested);
    let text = short.iter().map(sentence).collect::<Vec<_>>().join("; ");
    let mut fault = Fault::precondition(ErrorReason::InsufficientStock, text);
    for one in short {
        fault = fault.failure(&one.variant.to_string(), sentence(one));
    }
    let Some(first) = short.first() else { return fault };
    fault
        .metadata("variant", first.variant.to_string())
        .metadata("sku", first.sku.clone())
        .metadata("available", first.available.to_string())
}
