//! An order service on a database of its own, between peers that obey the test.

use std::time::{Duration, Instant};

use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::cart_service_client::CartServiceClient;
use kontor_proto::kontor::order::v1::order_event_service_client::OrderEventServiceClient;
use kontor_proto::kontor::order::v1::order_service_client::OrderServiceClient;
use kontor_runtime::settings::DatabaseSettings;
use kontor_testkit::{Issuer, with_token};
use kontor_types::ids::{ProductId, UserId, VariantName, new_uuid};
use sqlx::PgPool;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::Channel;

use crate::peers::Peers;

pub type Refunding = std::pin::Pin<Box<dyn Future<Output = Result<pb::Order, Status>> + Send>>;

pub struct World {
    pub peers: Peers,
    pub db: PgPool,
    pub orders: OrderServiceClient<Channel>,
    pub carts: CartServiceClient<Channel>,
    pub events: OrderEventServiceClient<Channel>,
    pub issuer: Issuer,
    clerk: UserId,
    config: kontor_order::Config,
    stop: CancellationToken,
    serving: JoinHandle<()>,
    _database: TestDatabase,
}

/// How long a test waits for what must come: machines that run tests are busy.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Longer than any test: a lease that runs out only if the test says so.
const LEASE_SECONDS: u64 = 3600;

impl World {
    /// With calls that wait for the end of what they began, however busy the machine.
    pub async fn with(peers: Peers) -> Self {
        Self::with_settings(peers, LEASE_SECONDS, WAIT_MAX).await
    }

    /// With calls that answer soon if what they began does not end.
    pub async fn answering_soon(peers: Peers) -> Self {
        Self::with_settings(peers, LEASE_SECONDS, kontor_order::ANSWER_WAIT).await
    }

    /// With another lease, in seconds.
    pub async fn with_lease(peers: Peers, lease_seconds: u64) -> Self {
        Self::with_settings(peers, lease_seconds, WAIT_MAX).await
    }

    async fn with_settings(peers: Peers, lease_seconds: u64, answer_wait: Duration) -> Self {
        kontor_testkit::metrics::install();
        let role = role("kontor_order", "order");
        let database = server().await.unwrap().database(std::slice::from_ref(&role)).await.unwrap();
        let (issuer, addr) = (Issuer::start().await, peers.serve().await.to_string());
        let config = kontor_order::Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            database: DatabaseSettings { url: database.url(&role).into(), connections: 8 },
            identity: issuer.identity("kt_sk_order_secret_0"),
            catalog_addr: addr.clone(),
            psp_addr: addr,
            lease_seconds,
            order_seconds: 3600,
            answer_wait,
        };
        let db = PgPool::connect(&database.url(&role)).await.unwrap();
        let (stop, serving, channel) = start(&config).await;
        let (orders, carts) = (OrderServiceClient::new(channel.clone()), CartServiceClient::new(channel.clone()));
        let events = OrderEventServiceClient::new(channel);
        Self {
            peers,
            db,
            orders,
            carts,
            events,
            issuer,
            clerk: UserId::generate(),
            config,
            stop,
            serving,
            _database: database,
        }
    }

    /// Stops the service as a deployment would, and starts it again.
    pub async fn restart(&mut self) {
        self.stop.cancel();
        let serving = std::mem::replace(&mut self.serving, tokio::spawn(async {}));
        serving.await.unwrap();
        let (stop, serving, channel) = start(&self.config).await;
        (self.stop, self.serving) = (stop, serving);
        (self.orders, self.carts) = (OrderServiceClient::new(channel.clone()), CartServiceClient::new(channel.clone()));
        self.events = OrderEventServiceClient::new(channel);
    }

    /// A cart with one unit of the one variant.
    pub async fn cart(&self) -> pb::Cart {
        let cart = self.carts.clone().create_cart(pb::CreateCartRequest::default()).await.unwrap().into_inner();
        let variant = VariantName { product: ProductId::generate(), id: new_uuid() }.to_string();
        let item = pb::SetCartItemRequest { cart: cart.name, variant, quantity: Some(1), ..Default::default() };
        self.carts.clone().set_cart_item(item).await.unwrap().into_inner()
    }

    pub async fn place(&self, cart: &pb::Cart, payment_token: &str) -> Result<pb::Order, Status> {
        Ok(self.orders.clone().place_order(request(cart, payment_token)).await?.into_inner())
    }

    /// Orders what a person at the provider reviews, as a caller that goes on waiting for the end. The order as it waits for the review.
    pub async fn place_for_review(&self, request: impl tonic::IntoRequest<pb::PlaceOrderRequest>) -> pb::Order {
        let (mut orders, request) = (self.orders.clone(), request.into_request());
        tokio::spawn(async move { orders.place_order(request).await });
        self.until("SELECT count(*) FROM order_history WHERE kind = 'PUT_OFF'").await;
        let id: uuid::Uuid = sqlx::query_scalar("SELECT order_id FROM order_history WHERE kind = 'PUT_OFF' LIMIT 1")
            .fetch_one(&self.db)
            .await
            .unwrap();
        let request = with_token(pb::GetOrderRequest { name: format!("orders/{id}") }, &self.reader());
        self.orders.clone().get_order(request).await.unwrap().into_inner()
    }

    /// The order, once it has ended.
    pub async fn ended(&self, name: &str) -> pb::Order {
        let began = Instant::now();
        loop {
            let request = pb::GetOrderRequest { name: name.into() };
            let order = self.orders.clone().get_order(request).await.unwrap().into_inner();
            if order.state() != pb::order::State::Processing {
                return order;
            }
            assert!(began.elapsed() < WAIT_MAX, "{name} did not end: {order:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The name of the one order that there is.
    pub async fn only_order(&self) -> String {
        let id: uuid::Uuid = sqlx::query_scalar("SELECT id FROM orders").fetch_one(&self.db).await.unwrap();
        format!("orders/{id}")
    }

    /// Waits until a method of a peer was called.
    pub async fn until_called(&self, method: &str) {
        let began = Instant::now();
        while self.peers.calls(method) == 0 {
            assert!(began.elapsed() < WAIT_MAX, "{method} was never called");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn cancel(&self, name: &str, reason: &str, key: Option<&str>) -> Result<pb::Order, Status> {
        let (name, reason, request_id) = (name.into(), reason.into(), key.unwrap_or_default().into());
        let request = pb::CancelOrderRequest { name, reason, request_id };
        Ok(self.orders.clone().cancel_order(request).await?.into_inner())
    }

    pub async fn cancel_as(&self, user: UserId, permissions: &[&str], name: &str) -> Result<pb::Order, Status> {
        let request = pb::CancelOrderRequest { name: name.into(), ..Default::default() };
        let request = with_token(request, &self.issuer.user(user, permissions));
        Ok(self.orders.clone().cancel_order(request).await?.into_inner())
    }

    /// An order of a user, for one unit, that waits for a review.
    pub async fn place_for_review_as(&self, user: UserId) -> pb::Order {
        self.place_for_review(with_token(request(&self.cart().await, "tok_review"), &self.issuer.user(user, &[]))).await
    }

    pub async fn refund(&self, request: &pb::RefundOrderRequest) -> Result<pb::Order, Status> {
        self.refunder()(request.clone()).await
    }

    /// The same as a function, for tasks of their own.
    pub fn refunder(&self) -> impl Fn(pb::RefundOrderRequest) -> Refunding + use<> {
        let (orders, token) = (self.orders.clone(), self.issuer.user(self.clerk, &["order.refund"]));
        // One caller, whose request ids are one space.
        move |request| {
            let (mut orders, request) = (orders.clone(), with_token(request, &token));
            Box::pin(async move { Ok(orders.refund_order(request).await?.into_inner()) })
        }
    }

    fn reader(&self) -> String {
        self.issuer.user(UserId::generate(), &["order.read"])
    }

    pub async fn history(&self, name: &str) -> Vec<pb::OrderHistoryEntry> {
        self.history_page(name, 100, String::new()).await.entries
    }

    pub async fn history_page(&self, name: &str, size: usize, page_token: String) -> pb::GetOrderHistoryResponse {
        let page_size = size.try_into().unwrap();
        let request = pb::GetOrderHistoryRequest { name: name.into(), page_size, page_token };
        let request = with_token(request, &self.reader());
        self.orders.clone().get_order_history(request).await.unwrap().into_inner()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db).await.unwrap()
    }

    /// Waits until the statement counts something.
    pub async fn until(&self, sql: &'static str) {
        let began = Instant::now();
        while self.count(sql).await == 0 {
            assert!(began.elapsed() < WAIT_MAX, "never came true: {sql}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn request(cart: &pb::Cart, payment_token: &str) -> pb::PlaceOrderRequest {
    pb::PlaceOrderRequest {
        cart: cart.name.clone(),
        expected_total: cart.total.clone(),
        payment_token: payment_token.into(),
        request_id: new_uuid().to_string(),
    }
}

pub fn dollars(units: i64) -> Option<Money> {
    Some(Money { currency_code: "USD".into(), units, nanos: 0 })
}

async fn start(config: &kontor_order::Config) -> (CancellationToken, JoinHandle<()>, Channel) {
    let (listener, addr) = kontor_testkit::listener().await;
    let stop = CancellationToken::new();
    let serving = kontor_order::service(config.clone()).migrating().serve(listener, stop.clone());
    let serving = tokio::spawn(async move { serving.await.unwrap() });
    let channel = Channel::from_shared(format!("http://{addr}")).unwrap().connect().await.unwrap();
    (stop, serving, channel)
}
