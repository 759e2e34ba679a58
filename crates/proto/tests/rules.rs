//! What the build makes of the contract's rules: a request that breaks one is refused with the path of the field.

use std::collections::BTreeSet;

use kontor_proto::codec::check;
use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::auth::v1::{SignInRequest, Tokens};
use kontor_proto::kontor::catalog::v1::{BatchGetVariantsRequest, ReservationLine, ReserveStockRequest};
use kontor_proto::kontor::order::v1::{
    Cart, CartItem, CreateCartRequest, PlaceOrderRequest, SetCartItemRequest, UpdateCartRequest,
};
use kontor_proto::rules::{Checked, violations};
use prost_reflect::{DescriptorPool, FieldDescriptor, Value};

const CART: &str = "carts/AAAAAAAAAAAAAAAAAAAAAA";
const VARIANT: &str = "products/kettle/variants/0192aaaa-0000-7000-8000-000000000000";

fn broken<M: Checked>(message: &M) -> Vec<String> {
    violations(message).into_iter().map(|violation| violation.field).collect()
}

fn place() -> PlaceOrderRequest {
    let expected_total = Some(Money { currency_code: "USD".into(), units: 79, nanos: 0 });
    let payment_token = "tok_approve".into();
    PlaceOrderRequest { cart: CART.into(), expected_total, payment_token, request_id: String::new() }
}

#[test]
fn a_request_that_keeps_the_rules_passes() {
    assert_eq!(broken(&place()), [""; 0]);
    let with_id = PlaceOrderRequest { request_id: "018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11".into(), ..place() };
    assert_eq!(broken(&with_id), [""; 0]);
}

#[test]
fn required_fields_patterns_and_forms_are_checked() {
    assert_eq!(broken(&PlaceOrderRequest::default()), ["cart", "expected_total", "payment_token"]);
    for request_id in ["1", "{018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11}", "018f4e2a7c1b7d3e9a520c6f1f0e8b11"] {
        assert_eq!(broken(&PlaceOrderRequest { request_id: request_id.into(), ..place() }), ["request_id"]);
    }
    assert_eq!(broken(&PlaceOrderRequest { cart: "carts/x/../y".into(), ..place() }), ["cart"]);
}

#[test]
fn no_text_holds_control_characters() {
    let sign_in = SignInRequest { email: "a\0@b.c".into(), password: "p\u{1b}[2J".into() };
    assert_eq!(broken(&sign_in), ["email", "password"]);
    assert_eq!(broken(&PlaceOrderRequest { payment_token: "tok\0".into(), ..place() }), ["payment_token"]);
}

#[test]
fn zero_is_a_value_where_presence_tells_and_absence_is_not() {
    let set =
        |quantity| SetCartItemRequest { cart: CART.into(), variant: VARIANT.into(), quantity, ..Default::default() };
    assert_eq!(broken(&set(Some(0))), [""; 0]);
    assert_eq!(broken(&set(None)), ["quantity"]);
    assert_eq!(broken(&set(Some(-1))), ["quantity"]);
    assert_eq!(broken(&set(Some(10_001))), ["quantity"]);
}

#[test]
fn items_and_nested_messages_are_named_by_their_path() {
    let line = |variant: &str, quantity| ReservationLine { variant: variant.into(), quantity };
    let order = "orders/0192aaaa-0000-7000-8000-000000000000".into();
    let lines = vec![line(VARIANT, 1), line("", 0)];
    assert_eq!(broken(&ReserveStockRequest { order, lines }), ["lines[1].variant", "lines[1].quantity"]);
    let batch = |names: Vec<&str>| BatchGetVariantsRequest {
        parent: "products/-".into(),
        names: names.into_iter().map(Into::into).collect(),
    };
    assert_eq!(broken(&batch(vec![])), ["names"]);
    assert_eq!(broken(&batch(vec![VARIANT, "x"])), ["names[1]"]);
    assert_eq!(broken(&batch(vec![VARIANT; 101])), ["names"]);
    assert_eq!(broken(&batch(vec!["x"; 101])), ["names"], "items are not looked at when there are too many");
    let lines = vec![line("", 0); 101];
    assert_eq!(broken(&ReserveStockRequest { order: String::new(), lines }), ["order", "lines"]);
}

#[test]
fn each_list_of_a_request_has_a_limit() {
    let contract = DescriptorPool::decode(kontor_proto::DESCRIPTOR_SET).unwrap();
    let rule = contract.get_extension_by_name("buf.validate.field").unwrap();
    let behavior = contract.get_extension_by_name("google.api.field_behavior").unwrap();
    let is_output_only = |field: &FieldDescriptor| {
        field.options().get_extension(&behavior).as_list().is_some_and(|list| list.contains(&Value::EnumNumber(3)))
    };
    let mut messages: Vec<_> =
        contract.services().flat_map(|s| s.methods().map(|m| m.input()).collect::<Vec<_>>()).collect();
    let (mut seen, mut lists) = (BTreeSet::new(), 0);
    while let Some(message) = messages.pop() {
        if !message.full_name().starts_with("kontor.") || !seen.insert(message.full_name().to_owned()) {
            continue;
        }
        // What only the server sets is not looked into.
        for field in message.fields().filter(|field| !is_output_only(field)) {
            messages.extend(field.kind().as_message().cloned());
            if !field.is_list() {
                continue;
            }
            lists += 1;
            let options = field.options();
            let rules = options.get_extension(&rule);
            let repeated = rules.as_message().and_then(|rules| Some(rules.get_field_by_name("repeated")?.into_owned()));
            let is_limited =
                repeated.as_ref().and_then(Value::as_message).is_some_and(|it| it.has_field_by_name("max_items"));
            assert!(is_limited, "{} may have any number of items", field.full_name());
        }
    }
    assert!(lists > 5, "{lists}");
}

#[test]
fn what_only_the_server_sets_is_refused_unless_there_is_a_mask() {
    let cart = Cart { items: vec![CartItem::default()], total: Some(Money::default()), ..Cart::default() };
    assert_eq!(
        broken(&CreateCartRequest { cart: Some(cart.clone()), ..CreateCartRequest::default() }),
        ["cart.items", "cart.total"]
    );
    let update = |update_mask| UpdateCartRequest { cart: Some(cart.clone()), update_mask, ..Default::default() };
    assert_eq!(broken(&update(None)), ["cart.items", "cart.total"]);
    assert_eq!(broken(&update(Some(prost_types::FieldMask::default()))), [""; 0]);
}

#[test]
fn a_violation_is_invalid_argument_with_all_fields_in_its_details() {
    use tonic_types::StatusExt;
    let status = check(&PlaceOrderRequest::default()).unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "FIELD_VIOLATION");
    assert_eq!(details.bad_request().unwrap().field_violations.len(), 3);
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let sign_in = SignInRequest { email: "ada@example.org".into(), password: "correct horse battery".into() };
    let tokens = Tokens { access_token: "eyJ-secret".into(), refresh_token: "r-secret".into(), expire_time: None };
    let text = format!("{sign_in:?} {tokens:?} {:?}", place());
    assert!(text.contains("ada@example.org") && text.contains("[redacted]"));
    assert!(!text.contains("horse") && !text.contains("secret") && !text.contains("tok_approve"), "{text}");
}

#[test]
fn every_pattern_of_the_contract_is_a_regular_expression() {
    let pool = DescriptorPool::decode(kontor_proto::DESCRIPTOR_SET).unwrap();
    let rule = pool.get_extension_by_name("buf.validate.field").unwrap();
    let mut patterns = Vec::new();
    for field in pool.all_messages().flat_map(|message| message.fields().collect::<Vec<_>>()) {
        let options = field.options();
        if options.has_extension(&rule) {
            collect(options.get_extension(&rule).as_message().unwrap(), &mut patterns);
        }
    }
    assert!(patterns.len() > 10, "{patterns:?}");
    for pattern in patterns {
        regex::Regex::new(&pattern).unwrap();
    }
}

fn collect(message: &prost_reflect::DynamicMessage, patterns: &mut Vec<String>) {
    for (field, value) in message.fields() {
        match value {
            Value::String(text) if field.name() == "pattern" => patterns.push(text.clone()),
            Value::Message(inner) => collect(inner, patterns),
            _ => {}
        }
    }
}
