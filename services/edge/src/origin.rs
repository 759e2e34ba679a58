//! Where a request came from, for the services behind: who is asked too often by one address has to know which.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_USER_AGENT: HeaderName = HeaderName::from_static("x-forwarded-user-agent");
/// How much of what the caller says of itself is passed on, in bytes.
const SAID_BYTES_MAX: usize = 512;

/// Adds the caller's address at the right of the addresses that it names itself, and its user agent. The service decides how far to
/// the left it believes them.
pub(crate) fn forward(request: &Parts, passed: &mut HeaderMap) {
    if let Some(ConnectInfo(peer)) = request.extensions.get::<ConnectInfo<SocketAddr>>() {
        let said = said_before(&request.headers);
        let separator = if said.is_empty() { "" } else { ", " };
        let value = HeaderValue::try_from(format!("{said}{separator}{}", peer.ip().to_canonical()));
        passed.extend(value.ok().map(|value| (FORWARDED_FOR, value)));
    }
    // Sent even if it is empty: what stands in `user-agent` itself is this program's own.
    passed.insert(FORWARDED_USER_AGENT, user_agent(&request.headers));
}

/// The addresses that the caller names: all of the headers' values, or their right end.
fn said_before(headers: &HeaderMap) -> String {
    let values = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let said = values.collect::<Vec<_>>().join(", ");
    let Some(too_much) = said.len().checked_sub(SAID_BYTES_MAX) else { return said };
    said.get(too_much..).and_then(|end| end.split_once(',')).map_or_else(String::new, |(_, end)| end.trim().to_owned())
}

fn user_agent(headers: &HeaderMap) -> HeaderValue {
    let said = headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    let said = HeaderValue::from_bytes(&said[..said.len().min(SAID_BYTES_MAX)]);
    said.unwrap_or_else(|_| HeaderValue::from_static(""))
}
