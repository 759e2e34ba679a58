//! A provider on a port of its own, with a clock that tests can move, and a client with a service's token.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::payment::v1::payment_provider_service_client::PaymentProviderServiceClient;
use kontor_proto::kontor::payment::v1::{
    AuthorizeRequest, CaptureRequest, LookUpRequest, Payment, RefundRequest, VoidRequest,
};
use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_sandbox_psp::{Config, service_by};
use kontor_testkit::{Issuer, with_token};
use kontor_types::{Clock, SystemClock};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

pub(crate) type Answer = Result<Payment, Status>;

/// A running provider; dropping it stops it.
pub(crate) struct Sandbox {
    pub(crate) issuer: Issuer,
    pub(crate) client: Client,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) channel: Channel,
    _stop: DropGuard,
}

impl Sandbox {
    pub(crate) async fn start(journal: Option<&Path>) -> Self {
        let (issuer, clock, stop) = (Issuer::start().await, Arc::new(TestClock::default()), CancellationToken::new());
        let (listener, listen) = kontor_testkit::listener().await;
        let journal = journal.map(Path::to_owned);
        let config = Config { listen, journal, tokens: issuer.tokens() };
        tokio::spawn(service_by(clock.clone(), config).serve(listener, stop.clone()));
        let channel = kontor_runtime::peer::channel(&listen.to_string()).unwrap();
        let client = Client::new(channel.clone(), &issuer.service("order"));
        Self { issuer, client, clock, channel, _stop: stop.drop_guard() }
    }
}

/// The machine's clock, set ahead.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    inner: PaymentProviderServiceClient<Channel>,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(channel: Channel, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::anonymous(channel) }
    }

    pub(crate) fn anonymous(channel: Channel) -> Self {
        Self { inner: PaymentProviderServiceClient::new(channel), token: None }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        match &self.token {
            Some(token) => with_token(message, token),
            None => Request::new(message),
        }
    }

    pub(crate) async fn authorize(&self, key: &str, units: i64, token: &str) -> Answer {
        self.authorize_within(Duration::from_secs(5), key, units, token).await
    }

    pub(crate) async fn authorize_within(&self, limit: Duration, key: &str, units: i64, token: &str) -> Answer {
        let (idempotency_key, payment_token) = (key.into(), token.into());
        let message =
            AuthorizeRequest { idempotency_key, order: "orders/1".into(), amount: Some(usd(units)), payment_token };
        let mut request = self.request(message);
        request.set_timeout(limit);
        self.inner.clone().authorize(request).await.map(|answer| answer.into_inner())
    }

    pub(crate) async fn capture(&self, key: &str, about: &str, amount: Money) -> Answer {
        let (idempotency_key, authorization_key) = (key.into(), about.into());
        let request = self.request(CaptureRequest { idempotency_key, authorization_key, amount: Some(amount) });
        self.inner.clone().capture(request).await.map(|answer| answer.into_inner())
    }

    pub(crate) async fn void(&self, key: &str, about: &str) -> Answer {
        let request = self.request(VoidRequest { idempotency_key: key.into(), authorization_key: about.into() });
        self.inner.clone().void(request).await.map(|answer| answer.into_inner())
    }

    pub(crate) async fn refund(&self, key: &str, about: &str, amount: Money) -> Answer {
        let (idempotency_key, authorization_key) = (key.into(), about.into());
        let request = self.request(RefundRequest { idempotency_key, authorization_key, amount: Some(amount) });
        self.inner.clone().refund(request).await.map(|answer| answer.into_inner())
    }

    pub(crate) async fn look_up(&self, about: &str) -> Answer {
        let request = self.request(LookUpRequest { authorization_key: about.into() });
        self.inner.clone().look_up(request).await.map(|answer| answer.into_inner())
    }
}

pub(crate) fn usd(units: i64) -> Money {
    Money { currency_code: "USD".into(), units, nanos: 0 }
}

/// The code and the reason of a refused call.
#[track_caller]
pub(crate) fn refusal(answer: Answer) -> (Code, ErrorReason) {
    let status = answer.expect_err("the call should have been refused");
    (status.code(), reason_of(&status).expect("every error has a reason"))
}
