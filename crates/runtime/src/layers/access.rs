//! Finds out who calls and whether the contract lets them.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, Request, header};
use tonic::Status;
use tonic::body::Body;

use super::middleware::{Inner, Middleware, Outcome};
use super::until_refused::{End, UntilRefused};
use crate::access::Rules;
use crate::caller::{Caller, Standing};
use crate::token::{Verified, Verifier, invalid};

/// Lets calls pass that the rules of the contract admit.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) rules: Arc<Rules>,
    pub(crate) verifier: Arc<Verifier>,
}

impl Middleware for Access {
    fn handle<S: Inner>(&self, request: Request<Body>, mut inner: S) -> impl Future<Output = Outcome> + Send + 'static {
        let with = self.clone();
        async move {
            let (mut parts, body) = request.into_parts();
            let admitted = match admit(&with, &parts).await {
                Ok(admitted) => admitted,
                Err(status) => return Ok(status.into_http()),
            };
            let streams = with.rules.streams(parts.uri.path());
            let is_streamed_to = with.rules.is_streamed_to(parts.uri.path());
            parts.extensions.insert(admitted.caller());
            parts.extensions.insert(admitted.standing(&with.verifier));
            let body = if is_streamed_to { admitted.guard(body, &with.verifier, End::Error) } else { body };
            let response = inner.call(Request::from_parts(parts, body)).await?;
            Ok(if streams {
                response.map(|body| admitted.guard(body, &with.verifier, End::Trailers))
            } else {
                response
            })
        }
    }
}

/// A caller that was let in.
#[derive(Default)]
struct Admitted {
    token: Option<Arc<Verified>>,
    is_privileged: bool,
}

impl Admitted {
    fn caller(&self) -> Caller {
        self.token.as_ref().map(|token| token.caller.clone()).unwrap_or_default()
    }

    fn standing(&self, verifier: &Arc<Verifier>) -> Standing {
        let token = self.token.as_ref();
        token.map(|token| Standing::new(Arc::clone(verifier), Arc::clone(token))).unwrap_or_default()
    }

    /// Ends a stream when its caller would not be let in any more.
    fn guard(&self, body: Body, verifier: &Arc<Verifier>, end: End) -> Body {
        let (is_privileged, Some(token)) = (self.is_privileged, self.token.clone()) else { return body };
        let verifier = Arc::clone(verifier);
        let refused = async move { verifier.until_refused(&token, is_privileged).await };
        Body::new(UntilRefused::new(body, refused, end))
    }
}

/// A method that no rule is known for is left to the router, which answers UNIMPLEMENTED: whatever is served has a rule.
async fn admit(with: &Access, request: &Parts) -> Result<Admitted, Status> {
    let Some(rule) = with.rules.get(request.uri.path()) else { return Ok(Admitted::default()) };
    let token = match bearer(&request.headers)? {
        Some(token) => Some(with.verifier.verified(token).await?),
        None => None,
    };
    let nobody = Caller::default();
    let caller = token.as_ref().map_or(&nobody, |token| &token.caller);
    rule.admit(caller)?;
    let is_privileged = rule.is_privilege_of(caller);
    if let Some(token) = token.as_ref().filter(|_| is_privileged) {
        with.verifier.fresh().await?;
        // What was waited for may have named this very token.
        with.verifier.check(token)?;
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
