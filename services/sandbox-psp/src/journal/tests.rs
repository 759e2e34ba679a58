//! Lines say all of an entry, and nothing of the token.

use chrono::DateTime;
use kontor_types::{Currency, Money};
use proptest::prelude::*;
use uuid::Uuid;

use super::line;
use crate::domain::{Ask, Behaviour, Cause, Decline, Entry, Payment, Request, State, Sums, Terms};

fn money() -> impl Strategy<Value = Money> {
    (any::<i64>(), prop_oneof![Just("USD"), Just("JPY")])
        .prop_map(|(minor, code)| Money { minor, currency: Currency::from_code(code).unwrap() })
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![Just(State::Authorized), Just(State::Declined), Just(State::InReview), Just(State::Refunded)]
}

fn payment(order: Option<String>) -> impl Strategy<Value = Payment> {
    let decline = prop::option::of(prop_oneof![Just(Decline::CardDeclined), Just(Decline::Voided)]);
    let parts = (any::<u128>(), prop::option::of((money(), any::<i64>())), state(), decline, 0..4_000_000_000_i64);
    parts.prop_map(move |(id, sums, state, decline, seconds)| Payment {
        id: Uuid::from_u128(id),
        authorization_key: "order:auth:1".into(),
        order: order.clone(),
        sums: sums.map(|(authorized, minor)| {
            let some = Money { minor, ..authorized };
            Sums { authorized, captured: some, refunded: some }
        }),
        state,
        decline,
        create_time: DateTime::from_timestamp(seconds, 123_456_789).unwrap(),
    })
}

fn cause() -> impl Strategy<Value = Cause> {
    let behaviour = prop_oneof![Just("tok_approve"), Just("tok_error_after"), Just("tok_4242")];
    let terms = ("\\PC*", money(), behaviour).prop_map(|(order, amount, token)| {
        Ask::Authorize(Terms { order, amount, behaviour: Behaviour::of_token(token) })
    });
    let ask = prop_oneof![terms, money().prop_map(Ask::Capture), Just(Ask::Void), money().prop_map(Ask::Refund)];
    let call = ("\\PC*", ask)
        .prop_map(|(key, ask)| Cause::Call(Request { key, authorization_key: "order:auth:1".into(), ask }));
    prop_oneof![Just(Cause::Review), call]
}

fn entry() -> impl Strategy<Value = Entry> {
    cause().prop_flat_map(|cause| {
        let order = match &cause {
            Cause::Call(Request { ask: Ask::Authorize(terms), .. }) => Some(terms.order.clone()),
            Cause::Call(_) | Cause::Review => None,
        };
        payment(order).prop_map(move |payment| Entry { time: payment.create_time, cause: cause.clone(), payment })
    })
}

proptest! {
    #[test]
    fn an_entry_is_one_line_that_reads_back_as_itself(entry in entry()) {
        let mut bytes = Vec::new();
        line::write(&entry, &mut bytes).unwrap();
        prop_assert_eq!(bytes.iter().position(|byte| *byte == b'\n'), Some(bytes.len() - 1));
        prop_assert_eq!(line::read(&bytes), Ok(entry));
    }

    #[test]
    fn no_line_panics(text in "\\PC*") {
        let _ = line::read(text.as_bytes());
    }
}
