//! A service's answer as an HTTP response.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use kontor_proto::google::api;
use prost::Message;

use crate::http_body::HTTP_BODY;
use crate::problem::{Problem, Result};
use crate::route::Route;
use crate::write_json::write;

/// JSON, or the bytes of a `google.api.HttpBody` with their own type.
pub(crate) fn response(route: &Route, wire: Bytes) -> Result<Response> {
    if route.output.full_name() == HTTP_BODY {
        return raw(wire);
    }
    let json = write(&route.output, route.response_body.as_ref(), wire).map_err(Problem::fault)?;
    Ok(with_type(HeaderValue::from_static("application/json"), json.into()))
}

fn raw(wire: Bytes) -> Result<Response> {
    let body = api::HttpBody::decode(wire).map_err(|error| Problem::fault(error.to_string()))?;
    let content_type = HeaderValue::try_from(body.content_type).map_err(|error| Problem::fault(error.to_string()))?;
    Ok(with_type(content_type, body.data))
}

fn with_type(content_type: HeaderValue, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
