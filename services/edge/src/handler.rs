//! One HTTP request, from its route to its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::response::Response;
use futures_util::{FutureExt, stream};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use kontor_proto::kontor::error::v1::ErrorReason;
use kontor_types::ids::new_uuid;
use prost::Message;
use prost_reflect::DynamicMessage;
use tonic::Code;
use tracing::Instrument;

use crate::limits::{REQUEST_ID_CHARS_MAX, UPLOAD_BYTES_MAX};
use crate::metrics::Measured;
use crate::problem::{Problem, REQUEST_ID, Result};
use crate::rest::{Head, Shared};
use crate::route::{self, Route};
use crate::routes::Routes;
use crate::tree::RequestPath;
use crate::upload::{self, Upload};
use crate::{body, call, request, response, trace};

/// Where documents lie that are the same for all (RFC 8615). Other answers may hold tokens, or what only one guest may read, and are not
/// for caches (RFC 6749, section 5.1).
const WELL_KNOWN: &str = "/.well-known/";

#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) routes: Routes,
    pub(crate) call_timeout: Duration,
}

enum Found {
    Route(Arc<Route>, RequestPath),
    /// OPTIONS: the methods that the path has.
    Methods(String),
}

/// Answers any request. Nothing that goes wrong here leaves without a problem body and the request's id.
pub(crate) async fn handle(State(setup): State<Arc<Setup>>, request: Request) -> Response {
    let request_id = request_id(request.headers());
    let is_head = request.method() == Method::HEAD;
    let is_for_all = request.uri().path().starts_with(WELL_KNOWN);
    let head = Head::of(&request);
    let (parts, body) = request.into_parts();
    let (body, rest) = Shared::split(body);
    let request = Request::from_parts(parts, body);
    let found = find(&setup.routes, request.method(), request.uri().path());
    let route = if let Ok(Found::Route(route, _)) = &found { Some(route.as_ref()) } else { None };
    let measured = Measured::begin(request.method(), route);
    let span = trace::server_span(request.method(), route, request.headers());
    let prefix = route.and_then(Route::body_prefix);
    let answer = guarded(answer(found, request, setup.call_timeout)).instrument(span.clone()).await;
    let mut response = answer.unwrap_or_else(|problem| {
        span.in_scope(|| trace::log(&problem, &request_id));
        problem.without_prefix(prefix.as_deref()).into_response(&request_id)
    });
    rest.finish(&head, response.headers_mut()).await;
    trace::record(&span, response.status(), &request_id);
    measured.end(response.status());
    if let Ok(value) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if !is_for_all {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if is_head { without_body(response) } else { response }
}

/// 405, with the methods that there are (RFC 9110, section 15.5.6).
pub(crate) fn wrong_method(method: &Method, allow: String) -> Box<Problem> {
    let detail = format!("{method} is not a method of this path; it has {allow}");
    let mut problem = Problem::new(Code::Unimplemented, ErrorReason::MethodNotFound, detail);
    problem.allow = Some(allow);
    problem.with_status(StatusCode::METHOD_NOT_ALLOWED)
}

fn find(routes: &Routes, method: &Method, path: &str) -> Result<Found> {
    let parsed = RequestPath::parse(path);
    let parsed = parsed.ok_or_else(|| Problem::malformed("", "the path is not percent-encoded UTF-8"))?;
    let ends = routes.find(&parsed);
    let wanted = if method == Method::HEAD { &Method::GET } else { method };
    if let Some(end) = ends.iter().find(|end| end.method == *wanted) {
        return Ok(Found::Route(Arc::clone(&end.route), parsed));
    }
    let allow = allow(ends.iter().map(|end| &end.method));
    match allow {
        None => {
            let problem =
                Problem::new(Code::Unimplemented, ErrorReason::MethodNotFound, format!("there is nothing at {path}"));
            Err(problem.with_status(StatusCode::NOT_FOUND))
        }
        Some(allow) if method == Method::OPTIONS => Ok(Found::Methods(allow)),
        Some(allow) => Err(wrong_method(method, allow)),
    }
}

/// The value of `Allow`; `None` if there are no methods at all.
fn allow<'a>(methods: impl Iterator<Item = &'a Method>) -> Option<String> {
    let mut names: Vec<&str> = methods.map(Method::as_str).collect();
    if names.is_empty() {
        return None;
    }
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.sort_unstable();
    names.dedup();
    Some(names.join(", "))
}

async fn answer(found: Result<Found>, request: Request, call_timeout: Duration) -> Result<Response> {
    let (route, path) = match found? {
        Found::Route(route, path) => (route, path),
        Found::Methods(allow) => return Ok(methods(&allow)),
    };
    let (parts, body) = request.into_parts();
    body::check_plain(&parts.headers)?;
    let metadata = call::metadata(&parts)?;
    let wire = if let (true, route::Body::Raw(field)) = (route.is_upload, &route.body) {
        body::check_length(&parts.headers, UPLOAD_BYTES_MAX)?;
        let mut first = DynamicMessage::new(route.input.clone());
        request::complete(&route, &path, &parts, &mut first)?;
        let content_type = request::content_type(&parts.headers).to_owned();
        let upload = Upload { field: field.clone(), first, content_type, body };
        upload::send(&route, upload, metadata).await?
    } else {
        let message = request::message(&route, &path, &parts, body).await?;
        let message = message.encode_to_vec().into();
        call::send(&route, stream::iter([Ok(message)]), metadata, call_timeout).await?
    };
    response::response(&route, wire)
}

fn methods(allow: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().extend(HeaderValue::try_from(allow).ok().map(|allow| (ALLOW, allow)));
    response
}

/// A panic is a fault like any other to the caller; the panic hook has logged where it happened.
async fn guarded(work: impl Future<Output = Result<Response>>) -> Result<Response> {
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(Problem::fault("a handler panicked")))
}

/// The caller's own id, if it can be sent back, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let fits = |id: &&str| (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(fits);
    given.map_or_else(|| new_uuid().to_string(), str::to_owned)
}

/// The answer to HEAD: that to GET, but for the body (RFC 9110, section 9.3.2).
fn without_body(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, Body::empty())
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[tokio::test]
    async fn a_panic_becomes_a_problem() {
        let problem = guarded(async { panic!("of the test") }).await.unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.reason.as_str()), (500, "INTERNAL_FAULT"));
    }
}
