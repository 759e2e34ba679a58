//! JSON as a message, by protobuf's JSON mapping. Unknown fields and enum names are refused, and the violation names the
//! field at fault.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor};
use serde_path_to_error::{Path, Segment, Track};

use crate::members;
use crate::problem::{Problem, Result};

/// How prost-reflect says that a field does not exist; it blames the message around it.
const UNKNOWN_FIELD: &str = "unrecognized field name '";

/// The message in the bytes; no bytes are an empty one. `parent` is the JSON name of the field that the message is for, or
/// empty. serde_json bounds the depth (128 levels), the caller the size.
pub(crate) fn read(kind: &MessageDescriptor, parent: &str, json: &[u8]) -> Result<DynamicMessage> {
    if json.is_empty() {
        return Ok(DynamicMessage::new(kind.clone()));
    }
    if let Some(name) = members::twice(json) {
        return Err(Problem::malformed(name, "is there twice"));
    }
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let mut track = Track::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    let message = DynamicMessage::deserialize_with_options(kind.clone(), tracked, &options)
        .map_err(|error| violation(parent, &track.path(), &error.to_string()))?;
    reader.end().map_err(|error| Problem::malformed("", error.to_string()))?;
    Ok(message)
}

/// 415, unless a body with these headers is JSON in UTF-8 (RFC 8259 knows no other encoding).
pub(crate) fn check_type(headers: &HeaderMap) -> Result<()> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json");
    let is_utf8 = parts.all(|part| !part.starts_with("charset=") || part.trim_matches('"').ends_with("utf-8"));
    if is_json && is_utf8 {
        return Ok(());
    }
    let problem = Problem::malformed("", "the body must be JSON, with Content-Type: application/json");
    Err(problem.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
}

fn violation(parent: &str, path: &Path, text: &str) -> Box<Problem> {
    let mut field = parent.to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => field.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => push_name(&mut field, key),
            Segment::Unknown => {}
        }
    }
    match text.strip_prefix(UNKNOWN_FIELD).and_then(|rest| rest.split_once('\'')) {
        Some((name, place)) => {
            push_name(&mut field, name);
            Problem::malformed(field, format!("is no field of this message{place}"))
        }
        None => Problem::malformed(field, text),
    }
}

fn push_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}
