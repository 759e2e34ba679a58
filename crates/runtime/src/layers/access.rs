//! Finds out who calls and whether the contract lets them.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{HeaderMap, Request, Response, header};
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::until_refused::UntilRefused;
use super::{Answer, is_plumbing};
use crate::access::Rules;
use crate::caller::Caller;
use crate::token::{Verified, Verifier, invalid};

#[derive(Clone)]
pub(crate) struct AccessLayer {
    pub(crate) rules: Arc<Rules>,
    pub(crate) verifier: Arc<Verifier>,
}

impl<S> Layer<S> for AccessLayer {
    type Service = Access<S>;

    fn layer(&self, inner: S) -> Access<S> {
        Access { inner, with: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Access<S> {
    inner: S,
    with: AccessLayer,
}

impl<S> Service<Request<Body>> for Access<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_plumbing(&request) {
            return Box::pin(self.inner.call(request));
        }
        // The clone that was polled ready goes with the call; a fresh one stays.
        let fresh = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, fresh);
        let with = self.with.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let admitted = match admit(&with, &parts).await {
                Ok(admitted) => admitted,
                Err(status) => return Ok(status.into_http()),
            };
            let streams = with.rules.streams(parts.uri.path());
            parts.extensions.insert(admitted.caller());
            let answer = inner.call(Request::from_parts(parts, body)).await?;
            Ok(if streams { admitted.guard(answer, with.verifier) } else { answer })
        })
    }
}

/// Whoever was let in.
#[derive(Default)]
struct Admitted {
    token: Option<Arc<Verified>>,
    is_privileged: bool,
}

impl Admitted {
    fn caller(&self) -> Caller {
        self.token.as_ref().map(|token| token.caller.clone()).unwrap_or_default()
    }

    /// Ends the stream when its caller would not be let in any more. That the token expires does not end it.
    fn guard(self, answer: Response<Body>, verifier: Arc<Verifier>) -> Response<Body> {
        let (is_privileged, Some(token)) = (self.is_privileged, self.token) else { return answer };
        let refused = async move { verifier.until_refused(&token, is_privileged).await };
        answer.map(|body| Body::new(UntilRefused::new(body, refused)))
    }
}

/// A method that no rule is known for is left to the router, which answers UNIMPLEMENTED: whatever is served has a rule.
async fn admit(with: &AccessLayer, request: &Parts) -> Result<Admitted, Status> {
    let Some(rule) = with.rules.get(request.uri.path()) else { return Ok(Admitted::default()) };
    let token = match bearer(&request.headers)? {
        Some(token) => Some(with.verifier.verified(token).await?),
        None => None,
    };
    let nobody = Caller::default();
    let caller = token.as_ref().map_or(&nobody, |token| &token.caller);
    rule.admit(caller)?;
    let is_privileged = rule.is_privilege_of(caller);
    if is_privileged {
        with.verifier.fresh().await?;
    }
    Ok(Admitted { token, is_privileged })
}

/// The token of the one `authorization` header. Two of them, or another scheme, are refused rather than guessed at.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Status> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return if headers.contains_key(header::AUTHORIZATION) { Err(invalid()) } else { Ok(None) };
    };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(invalid());
    }
    Ok(Some(token.trim()))
}
