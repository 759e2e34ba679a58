//! A call to the service behind a route.

use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use kontor_proto::kontor::error::v1::ErrorReason;
use kontor_runtime::propagation;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, Request, Status};

use crate::codec::RawCodec;
use crate::limits::ANSWER_BYTES_MAX;
use crate::origin;
use crate::problem::{Problem, Result};
use crate::route::Route;
use crate::status;

/// The longest `Authorization` that goes on to a service, in bytes. Longer headers than services take would break the connection that all
/// callers share.
const AUTHORIZATION_BYTES_MAX: usize = 8 * 1024;

/// Sends the messages and waits for the answer.
pub(crate) async fn send<S>(route: &Route, messages: S, metadata: MetadataMap, limit: Duration) -> Result<Bytes>
where
    S: Stream<Item = std::result::Result<Bytes, Status>> + Send + 'static,
{
    let mut request = Request::from_parts(metadata, Extensions::default(), messages);
    request.set_timeout(limit);
    // The service gets the deadline by grpc-timeout; the timer here also ends an answer that stalls half way.
    match timeout(limit, answer(route, request)).await {
        Ok(Ok(message)) => Ok(message),
        Ok(Err(status)) => Err(status::problem(&status, &route.service)),
        Err(_) => Err(status::deadline_passed()),
    }
}

/// What goes with a call: who calls, from where, and the trace that it belongs to.
pub(crate) fn metadata(request: &Parts) -> Result<MetadataMap> {
    let mut passed = HeaderMap::new();
    let mut tokens = request.headers.get_all(AUTHORIZATION).iter();
    if let Some(token) = tokens.next() {
        if token.len() > AUTHORIZATION_BYTES_MAX {
            let detail = "the access token is not valid here: no token is that long";
            return Err(Problem::new(Code::Unauthenticated, ErrorReason::TokenInvalid, detail));
        }
        let mut token = token.clone();
        token.set_sensitive(true);
        passed.insert(AUTHORIZATION, token);
    }
    if tokens.next().is_some() {
        let detail = "the header Authorization is given more than once";
        return Err(Problem::new(Code::Unauthenticated, ErrorReason::TokenInvalid, detail));
    }
    origin::forward(request, &mut passed);
    propagation::inject(&mut passed);
    Ok(MetadataMap::from_headers(passed))
}

async fn answer<S>(route: &Route, request: Request<S>) -> std::result::Result<Bytes, Status>
where
    S: Stream<Item = std::result::Result<Bytes, Status>> + Send + 'static,
{
    let mut client = Grpc::new(route.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let response = client.client_streaming(request, route.grpc_path.clone(), RawCodec).await?;
    Ok(response.into_inner())
}
