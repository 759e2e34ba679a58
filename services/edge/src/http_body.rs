//! `google.api.HttpBody`: bytes with a media type, in a request.

use bytes::Bytes;
use prost_reflect::{DynamicMessage, FieldDescriptor, SetFieldError, Value};

use crate::problem::{Problem, Result};

/// The full name of the message type.
pub(crate) const HTTP_BODY: &str = "google.api.HttpBody";

/// One for this field. Fails only if the contract has a type of this name with other fields.
pub(crate) fn http_body(field: &FieldDescriptor, content_type: &str, data: Bytes) -> Result<Value> {
    let misfit = |error: SetFieldError| Problem::fault(error.to_string());
    let kind =
        field.kind().as_message().cloned().ok_or_else(|| Problem::fault("a raw body for a field that is none"))?;
    let mut body = DynamicMessage::new(kind);
    body.try_set_field_by_name("content_type", Value::String(content_type.to_owned())).map_err(misfit)?;
    body.try_set_field_by_name("data", Value::Bytes(data)).map_err(misfit)?;
    Ok(Value::Message(body))
}
