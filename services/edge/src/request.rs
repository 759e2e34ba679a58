//! An HTTP request as the message that its route's method takes.

use axum::body::Body;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use prost_reflect::{DynamicMessage, Value};

use crate::http_body::http_body;
use crate::limits::JSON_BYTES_MAX;
use crate::problem::{Problem, Result};
use crate::route::{self, Route};
use crate::tree::RequestPath;
use crate::{body, query, read_json};

/// The header that makes repeating safe.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The message of a method that takes one: what the body holds, then what the URL and the headers add.
pub(crate) async fn message(route: &Route, path: &RequestPath, parts: &Parts, body: Body) -> Result<DynamicMessage> {
    let bytes = body::read(body, &parts.headers, JSON_BYTES_MAX).await?;
    let mut message = from_body(route, &parts.headers, bytes)?;
    complete(route, path, parts, &mut message)?;
    Ok(message)
}

/// Adds what the path, the query and the headers hold.
pub(crate) fn complete(route: &Route, path: &RequestPath, parts: &Parts, message: &mut DynamicMessage) -> Result<()> {
    fill_from_path(route, path, message)?;
    query::fill(route, parts.uri.query().unwrap_or_default(), message)?;
    fill_request_id(route, &parts.headers, message)
}

/// The media type that the caller names; empty if none.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn from_body(route: &Route, headers: &HeaderMap, bytes: Bytes) -> Result<DynamicMessage> {
    let is_json = matches!(route.body, route::Body::All | route::Body::Field(_));
    if is_json && !bytes.is_empty() {
        read_json::check_type(headers)?;
    }
    let mut message = DynamicMessage::new(route.input.clone());
    match &route.body {
        route::Body::None if bytes.is_empty() => {}
        route::Body::None => return Err(Problem::malformed("", "this method takes no body")),
        route::Body::All => message = read_json::read(&route.input, "", &bytes)?,
        route::Body::Field(field) => {
            if let Some(kind) = field.kind().as_message() {
                let inner = read_json::read(kind, field.json_name(), &bytes)?;
                message.set_field(field, Value::Message(inner));
            }
        }
        route::Body::Raw(field) => {
            message.set_field(field, http_body(field, content_type(headers), bytes)?);
        }
    }
    Ok(message)
}

fn fill_from_path(route: &Route, path: &RequestPath, message: &mut DynamicMessage) -> Result<()> {
    for (variable, field) in &route.variables {
        let name = || field.json_name();
        let text = variable.value(&path.segments);
        let text = text.ok_or_else(|| Problem::malformed(name(), "holds an encoded slash"))?;
        let value = field.value(&[text]).map_err(|error| Problem::malformed(name(), error))?;
        if field.get(message).is_some_and(|other| other != value) {
            return Err(Problem::malformed(name(), "is not the same in the path and in the body"));
        }
        if !field.set(message, value) {
            return Err(Problem::malformed(name(), "excludes another field that is given too"));
        }
    }
    Ok(())
}

/// The header may be quoted, as its draft asks for (draft-ietf-httpapi-idempotency-key-header), or bare.
fn fill_request_id(route: &Route, headers: &HeaderMap, message: &mut DynamicMessage) -> Result<()> {
    let Some(field) = &route.request_id else { return Ok(()) };
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(()) };
    let refuse = |text: &str| Err(Problem::malformed(field.json_name(), format!("the header Idempotency-Key {text}")));
    if keys.next().is_some() {
        return refuse("is given more than once");
    }
    let key = key.to_str().unwrap_or_default().trim();
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    if key.is_empty() {
        return refuse("is empty, or no ASCII text");
    }
    let value = Value::String(key.to_owned());
    if field.get(message).is_some_and(|other| other != value) {
        return refuse("and the field differ");
    }
    field.set(message, value);
    Ok(())
}
