//! Calls to other services: channels that notice a dead peer, a deadline on each call, the trace context, and the
//! service's own identity.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Response, header};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tower::{Service, ServiceExt};

use crate::fault::Fault;
use crate::identity::Identity;
use crate::process::Error;
use crate::propagation;

/// How long a call to a peer may take.
const CALL_MAX: Duration = Duration::from_secs(5);
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How often an idle connection is tried, and how long the answer may take: a frozen peer is noticed within their sum.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// The address of a service: `http://host:port`.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0:?} is no address of a service such as http://127.0.0.1:7102")]
pub struct AddressError(String);

/// A channel to a service. It connects when it is first used, and again after each loss.
pub fn channel(address: &str) -> Result<Channel, AddressError> {
    Ok(endpoint(address)?.connect_lazy())
}

pub(crate) fn endpoint(address: &str) -> Result<Endpoint, AddressError> {
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Endpoint::from_shared(url).map_err(|_| AddressError(address.to_owned()))?;
    Ok(endpoint
        .connect_timeout(CONNECT_MAX)
        .timeout(CALL_MAX)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE)
        .keep_alive_while_idle(true))
}

/// Whether a service says of itself that it serves, by `grpc.health.v1`.
///
/// # Errors
/// When it does not, or can't be asked.
pub async fn serves(name: &'static str, channel: Channel) -> Result<(), Error> {
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    let is_serving = answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving);
    if is_serving { Ok(()) } else { Err(format!("{name} does not serve").into()) }
}

/// A peer to which this service speaks as itself. Generated clients take it as their transport.
#[derive(Clone)]
pub struct Peer {
    channel: Channel,
    identity: Arc<Identity>,
}

impl Peer {
    /// Over a channel, with this service's identity.
    pub fn new(channel: Channel, identity: Arc<Identity>) -> Self {
        Self { channel, identity }
    }
}

type Answer = Result<Response<Body>, tonic::transport::Error>;

impl Service<Request<Body>> for Peer {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        propagation::inject(request.headers_mut());
        request.headers_mut().entry("grpc-timeout").or_insert_with(|| timeout_header(CALL_MAX));
        let (channel, identity) = (self.channel.clone(), self.identity.clone());
        Box::pin(async move {
            let token = match identity.authorization().await {
                Ok(token) => token,
                Err(status) => return Ok(status.into_http()),
            };
            request.headers_mut().insert(header::AUTHORIZATION, token.clone());
            let answer = channel.oneshot(request).await?;
            if !is_unauthenticated(&answer) {
                return Ok(answer);
            }
            identity.forget(&token).await;
            // It is our token that was refused, and not the one of whoever called us.
            Ok(Status::from(Fault::unavailable("this service's own token was refused; try again")).into_http())
        })
    }
}

fn is_unauthenticated(answer: &Response<Body>) -> bool {
    let code = answer.headers().get("grpc-status");
    code.is_some_and(|code| Code::from_bytes(code.as_bytes()) == Code::Unauthenticated)
}

/// The value of `grpc-timeout` for a duration, in milliseconds (at most eight digits).
fn timeout_header(duration: Duration) -> HeaderValue {
    let millis = duration.as_millis().min(99_999_999);
    HeaderValue::try_from(format!("{millis}m")).unwrap_or_else(|_| HeaderValue::from_static("5S"))
}
