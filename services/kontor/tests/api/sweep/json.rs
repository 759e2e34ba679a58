//! JSON that is nearly a message.

use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop, prop_oneof};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::routes::Route;
use super::text::Words;

const DEPTH_MAX: usize = 3;

/// The names of a message's fields, and one that it does not have.
pub(super) fn names(message: &MessageDescriptor) -> Vec<String> {
    let names = message.fields().map(|field| field.json_name().to_owned());
    names.chain(["colour".into()]).collect()
}

/// The message that a route takes as its body, with nearly all fields of the right type.
pub(super) fn body(route: &Route, words: &Words) -> BoxedStrategy<Value> {
    let fields = route.input.fields().filter(|field| !route.binds(field.name()));
    message(fields, words, DEPTH_MAX)
}

pub(super) fn any_json(words: &Words) -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.any_text().prop_map(Value::from),
    ];
    let key = words.any_text();
    leaf.prop_recursive(4, 32, 4, move |inner| {
        let object = prop::collection::vec((key.clone(), inner.clone()), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
    .boxed()
}

/// What only the server sets is mostly left out: it would be refused.
fn message(fields: impl Iterator<Item = FieldDescriptor>, words: &Words, depth: usize) -> BoxedStrategy<Value> {
    let add = |object: BoxedStrategy<Map<String, Value>>, field: FieldDescriptor| {
        let often = if is_output(&field) { 0.01 } else { 0.85 };
        let value = prop::option::weighted(often, value(&field, words, depth));
        let set = move |(mut object, value): (Map<String, Value>, Option<Value>)| {
            object.extend(value.map(|value| (field.json_name().to_owned(), value)));
            object
        };
        (object, value).prop_map(set).boxed()
    };
    fields.fold(Just(Map::new()).boxed(), add).prop_map(Value::Object).boxed()
}

fn is_output(field: &FieldDescriptor) -> bool {
    let Some(behaviour) = field.parent_pool().get_extension_by_name("google.api.field_behavior") else { return false };
    let options = field.options();
    let behaviours = options.get_extension(&behaviour);
    behaviours.as_list().is_some_and(|list| list.iter().any(|one| one.as_enum_number() == Some(3)))
}

fn value(field: &FieldDescriptor, words: &Words, depth: usize) -> BoxedStrategy<Value> {
    let one = one(field, words, depth);
    let right = if field.is_list() { prop::collection::vec(one, 0..4).prop_map(Value::from).boxed() } else { one };
    let likely = words
        .likely(field.json_name())
        .filter(|_| !field.is_list())
        .map_or_else(|| right.clone(), |it| Just(it).boxed());
    prop_oneof![24 => likely, 12 => right, 1 => any_json(words)].boxed()
}

fn one(field: &FieldDescriptor, words: &Words, depth: usize) -> BoxedStrategy<Value> {
    match field.kind() {
        Kind::Message(kind) if kind.full_name() == "google.protobuf.Timestamp" => {
            Just(json!("2024-05-01T00:00:00Z")).boxed()
        }
        Kind::Message(_) if depth == 0 => Just(json!({})).boxed(),
        Kind::Message(kind) => message(kind.fields(), words, depth - 1),
        Kind::String | Kind::Bytes => words.any_text().prop_map(Value::from).boxed(),
        Kind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Enum(kind) => {
            let names: Vec<_> = kind.values().map(|value| value.name().to_owned()).collect();
            prop::sample::select(names).prop_map(Value::from).boxed()
        }
        Kind::Int64 => any::<i64>().prop_map(Value::from).boxed(),
        _ => prop_oneof![-3..20_000, any::<i32>()].prop_map(Value::from).boxed(),
    }
}
