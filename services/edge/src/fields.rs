//! Paths to fields inside a message, and values given as text in a URL.

use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde_json::{Value as Json, json};

use crate::status::json_path;

/// Messages whose JSON form is one string, number or bool, so that they fit in a URL.
const SCALAR_MESSAGES: [&str; 12] = [
    "google.protobuf.Timestamp",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.StringValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.FloatValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
];

/// The way from a message to a field that a URL can fill: a scalar, a list of scalars, or a message that is written as one.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    parents: Vec<FieldDescriptor>,
    leaf: FieldDescriptor,
}

impl FieldPath {
    /// By names as the contract or JSON spells them, with dots between; `None` if there is no such field, or none that
    /// a URL can fill.
    pub(crate) fn resolve(message: &MessageDescriptor, path: &str) -> Option<Self> {
        let mut message = message.clone();
        let mut parents = Vec::new();
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            let field = message.get_field_by_json_name(name).or_else(|| message.get_field_by_name(name))?;
            if names.peek().is_none() {
                return fits_in_url(&field).then_some(Self { parents, leaf: field });
            }
            if field.is_list() || field.is_map() {
                return None;
            }
            message = field.kind().as_message()?.clone();
            parents.push(field);
        }
        None
    }

    /// Whether it can take several values.
    pub(crate) fn is_list(&self) -> bool {
        self.leaf.is_list()
    }

    /// The field's number, with those of its parents before it: the same for both spellings of its name.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.parents.iter().chain([&self.leaf]).map(FieldDescriptor::number).collect()
    }

    pub(crate) fn json_name(&self) -> String {
        let names: Vec<_> = self.parents.iter().chain([&self.leaf]).map(FieldDescriptor::json_name).collect();
        names.join(".")
    }

    /// The value that the texts stand for, in the spelling that JSON strings have too; the error says what is
    /// wrong with them.
    pub(crate) fn value(&self, texts: &[String]) -> Result<Value, String> {
        let name = self.leaf.json_name();
        let scalars: Vec<Json> = texts.iter().map(|text| scalar(&self.leaf.kind(), text)).collect();
        let json = match scalars.as_slice() {
            _ if self.is_list() => json!({ name: scalars }),
            [one] => json!({ name: one }),
            _ => return Err("takes one value only".into()),
        };
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        let holder = self.leaf.parent_message().clone();
        let mut holder =
            DynamicMessage::deserialize_with_options(holder, json, &options).map_err(|error| error.to_string())?;
        Ok(holder.take_field(&self.leaf).unwrap_or_else(|| Value::default_value_for_field(&self.leaf)))
    }

    /// The value in a message, if it is set.
    pub(crate) fn get(&self, message: &DynamicMessage) -> Option<Value> {
        let Some((first, _)) = self.parents.split_first() else {
            return message.has_field(&self.leaf).then(|| message.get_field(&self.leaf).into_owned());
        };
        if !message.has_field(first) {
            return None;
        }
        self.below()?.get(message.get_field(first).as_message()?)
    }

    /// Puts the value in, together with the messages around it. False if another field of the same oneof is set.
    pub(crate) fn set(&self, message: &mut DynamicMessage, value: Value) -> bool {
        let field = self.parents.first().unwrap_or(&self.leaf);
        let taken = |oneof: prost_reflect::OneofDescriptor| {
            oneof.fields().any(|other| other.number() != field.number() && message.has_field(&other))
        };
        if field.containing_oneof().is_some_and(taken) {
            return false;
        }
        let Some(below) = self.below() else {
            message.set_field(field, value);
            return true;
        };
        message.get_field_mut(field).as_message_mut().is_some_and(|inner| below.set(inner, value))
    }

    /// The path from the first parent on.
    fn below(&self) -> Option<Self> {
        let (_, parents) = self.parents.split_first()?;
        Some(Self { parents: parents.to_vec(), leaf: self.leaf.clone() })
    }
}

fn fits_in_url(field: &FieldDescriptor) -> bool {
    match field.kind() {
        _ if field.is_map() => false,
        Kind::Message(message) => SCALAR_MESSAGES.contains(&message.full_name()),
        _ => true,
    }
}

/// A field mask may be spelt as in the contract too. Numbers, enums, bytes and times are read from strings by the rules of protobuf's JSON; bools alone are not.
fn scalar(kind: &Kind, text: &str) -> Json {
    if matches!(kind, Kind::Message(message) if message.full_name() == "google.protobuf.FieldMask") {
        return json!(json_path(text));
    }
    let is_bool = match kind {
        Kind::Bool => true,
        Kind::Message(message) => message.full_name() == "google.protobuf.BoolValue",
        _ => false,
    };
    match text {
        "true" if is_bool => json!(true),
        "false" if is_bool => json!(false),
        text => json!(text),
    }
}
