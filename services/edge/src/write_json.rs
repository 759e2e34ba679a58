//! A service's answer, from wire bytes to JSON. Shapes are constant: fields without presence are always there, 64-bit integers
//! are strings (protobuf's JSON mapping), messages and `optional` fields are absent when unset.

use bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, SerializeOptions};

/// The JSON of a message, or of the message in one of its fields. The error is for the log.
pub(crate) fn write(kind: &MessageDescriptor, field: Option<&FieldDescriptor>, wire: Bytes) -> Result<Vec<u8>, String> {
    let message = DynamicMessage::decode(kind.clone(), wire).map_err(|error| error.to_string())?;
    let part = field.map(|field| message.get_field(field));
    let message = part.as_deref().and_then(prost_reflect::Value::as_message).unwrap_or(&message);
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut json = serde_json::Serializer::new(Vec::with_capacity(1024));
    message.serialize_with_options(&mut json, &options).map_err(|error| error.to_string())?;
    Ok(json.into_inner())
}
