//! A catalog service of a test's own, and short names for what tests do with it.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use kontor_catalog::Config;
use kontor_postgres::{Pool, PoolOptions, testing};
use kontor_proto::google::api::HttpBody;
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::catalog_event_service_client::CatalogEventServiceClient;
use kontor_proto::kontor::catalog::v1::inventory_service_client::InventoryServiceClient;
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_proto::kontor::catalog::v1::variant_service_client::VariantServiceClient;
use kontor_runtime::settings::DatabaseSettings;
use kontor_testkit::{Issuer, listener, with_token};
use kontor_types::ids::{OrderId, UserId};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

use crate::logs::LOG;

/// How long a busy catalog may refuse the calls of a patient order service.
const BUSY_MAX: Duration = Duration::from_secs(60);

/// How much of a file goes into one message.
const PIECE: usize = 1024 * 1024;

pub struct Shop {
    pub addr: SocketAddr,
    pub issuer: Issuer,
    pub db: PgPool,
    pub pool: Pool,
    pub products: ProductServiceClient<Channel>,
    pub variants: VariantServiceClient<Channel>,
    pub inventory: InventoryServiceClient<Channel>,
    pub events: CatalogEventServiceClient<Channel>,
    /// A token with the permissions `catalog.edit` and `inventory.adjust`.
    pub editor: String,
    pub order_service: String,
    patience: Duration,
    pub stop: tokio_util::sync::DropGuard,
}

impl Shop {
    pub async fn open() -> Self {
        Self::holding_for(3600).await
    }

    /// For many calls at once: those that a busy catalog refuses are sent again, as the order service does.
    pub async fn open_patient() -> Self {
        Self { patience: BUSY_MAX, ..Self::open().await }
    }

    /// One with an empty catalog, that holds units for so many seconds.
    pub async fn holding_for(hold_seconds: u32) -> Self {
        Self::start(Issuer::start().await, hold_seconds).await
    }

    /// One that takes the tokens of this issuer.
    pub async fn open_with(issuer: Issuer) -> Self {
        Self::start(issuer, 3600).await
    }

    async fn start(issuer: Issuer, hold_seconds: u32) -> Self {
        LazyLock::force(&LOG);
        kontor_testkit::metrics::install();
        let role = testing::role("kontor_catalog", "catalog");
        let database = testing::server().await.unwrap().database(std::slice::from_ref(&role)).await.unwrap();
        let (listener, addr) = listener().await;
        let config = Config {
            listen: addr,
            database: DatabaseSettings { url: database.url(&role).into(), connections: 8 },
            identity: issuer.identity("kt_sk_catalog_secret_0"),
            hold_seconds,
        };
        let stop = CancellationToken::new();
        let serving = kontor_catalog::service(config).migrating().serve(listener, stop.clone());
        tokio::spawn(async move { serving.await.unwrap() });
        let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy();
        let options = PoolOptions { max_connections: 2, ..PoolOptions::new(database.url(&role)) };
        let pool = kontor_postgres::connect(&options).await.unwrap();
        let shop = Self {
            addr,
            db: pool.sqlx().clone(),
            pool,
            products: ProductServiceClient::new(channel.clone()),
            variants: VariantServiceClient::new(channel.clone()),
            inventory: InventoryServiceClient::new(channel.clone()),
            events: CatalogEventServiceClient::new(channel),
            editor: issuer.user(UserId::generate(), &["catalog.edit", "inventory.adjust"]),
            order_service: issuer.service("order"),
            patience: Duration::ZERO,
            issuer,
            stop: stop.drop_guard(),
        };
        shop.wait_until_migrated().await;
        shop
    }

    async fn wait_until_migrated(&self) {
        let mut products = self.products.clone();
        for _ in 0..200 {
            if products.list_products(pb::ListProductsRequest::default()).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the service did not start");
    }

    pub async fn import(&self, csv: &str) -> pb::ImportProductsResponse {
        self.try_import(csv.as_bytes(), &self.editor, pb::ImportProductsRequest::default()).await.unwrap()
    }

    /// Sends a file in pieces, with the settings of `first`.
    pub async fn try_import(
        &self,
        file: &[u8],
        token: &str,
        first: pb::ImportProductsRequest,
    ) -> Result<pb::ImportProductsResponse, Status> {
        let piece = |data: &[u8]| HttpBody { content_type: String::new(), data: data.to_vec().into() };
        let mut pieces = file.chunks(PIECE).map(piece).collect::<Vec<_>>();
        if pieces.is_empty() {
            pieces.push(piece(&[]));
        }
        if let Some(settings) = &first.file {
            pieces[0].content_type.clone_from(&settings.content_type);
        }
        let message = move |(index, file)| pb::ImportProductsRequest {
            file: Some(file),
            ..if index == 0 { first.clone() } else { pb::ImportProductsRequest::default() }
        };
        let messages: Vec<_> = pieces.into_iter().enumerate().map(message).collect();
        let request = with_token(tokio_stream::iter(messages), token);
        self.products.clone().import_products(request).await.map(Response::into_inner)
    }

    /// Loads one product of these SKUs and quantities, and tells the names of its variants.
    pub async fn stocked(&self, handle: &str, stock: &[(&str, i64)]) -> Vec<String> {
        let mut csv =
            String::from("Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price\n");
        for (sku, quantity) in stock {
            csv.push_str(&format!("{handle},{handle},Kind,{sku},{sku},{quantity},1.00\n"));
        }
        assert_eq!(self.import(&csv).await.issues, []);
        self.product(handle).await.unwrap().variants.into_iter().map(|variant| variant.name).collect()
    }

    /// A product as an editor sees it, by id or handle.
    pub async fn product(&self, id: &str) -> Result<pb::Product, Status> {
        let name = if id.starts_with("products/") { id.to_owned() } else { format!("products/{id}") };
        let request = with_token(pb::GetProductRequest { name }, &self.editor);
        self.products.clone().get_product(request).await.map(Response::into_inner)
    }

    pub async fn stock(&self, variant: &str) -> (i64, i64) {
        let request = pb::GetStockRequest { name: format!("{variant}/stock") };
        let stock = self.inventory.clone().get_stock(request).await.unwrap().into_inner();
        assert_eq!(stock.available, stock.on_hand - stock.reserved);
        (stock.on_hand, stock.reserved)
    }

    pub async fn adjust(&self, request: pb::AdjustStockRequest) -> Result<pb::Stock, Status> {
        let request = with_token(request, &self.editor);
        self.inventory.clone().adjust_stock(request).await.map(Response::into_inner)
    }

    pub async fn reserve(&self, order: OrderId, lines: &[(&str, i32)]) -> Result<pb::Reservation, Status> {
        let request = pb::ReserveStockRequest { order: order.to_string(), lines: reservation_lines(lines) };
        let call = |mut inventory: InventoryServiceClient<Channel>, request| async move {
            inventory.reserve_stock(request).await
        };
        self.answered(request, call).await
    }

    pub async fn confirm(&self, order: OrderId) -> Result<pb::Reservation, Status> {
        let request = pb::ConfirmReservationRequest { order: order.to_string() };
        let call = |mut inventory: InventoryServiceClient<Channel>, request| async move {
            inventory.confirm_reservation(request).await
        };
        self.answered(request, call).await
    }

    pub async fn release(&self, order: OrderId) -> Result<pb::Reservation, Status> {
        let request = pb::ReleaseReservationRequest { order: order.to_string() };
        let call = |mut inventory: InventoryServiceClient<Channel>, request| async move {
            inventory.release_reservation(request).await
        };
        self.answered(request, call).await
    }

    async fn answered<T: Clone, A, F: Future<Output = Result<Response<A>, Status>>>(
        &self,
        request: T,
        call: impl Fn(InventoryServiceClient<Channel>, Request<T>) -> F,
    ) -> Result<A, Status> {
        let began = Instant::now();
        loop {
            match call(self.inventory.clone(), with_token(request.clone(), &self.order_service)).await {
                Err(busy) if busy.code() == Code::Unavailable && began.elapsed() < self.patience => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                answer => return answer.map(Response::into_inner),
            }
        }
    }

    pub async fn reservation(&self, order: OrderId) -> Result<pb::Reservation, Status> {
        let request = with_token(pb::GetReservationRequest { order: order.to_string() }, &self.order_service);
        self.inventory.clone().get_reservation(request).await.map(Response::into_inner)
    }

    /// Sends units back, by the refund's name.
    pub async fn send_back(&self, refund: &str, lines: &[(&str, i32)]) -> Result<pb::Reservation, Status> {
        let request = pb::ReturnStockRequest { refund: refund.into(), lines: reservation_lines(lines) };
        let request = with_token(request, &self.order_service);
        self.inventory.clone().return_stock(request).await.map(Response::into_inner)
    }

    /// Makes the hold of an order so old that it has so many seconds left (or none), and waits until it is EXPIRED if it has none.
    pub async fn age(&self, order: OrderId, seconds_left: i32) {
        let sql = "UPDATE reservations SET expire_time = now() + make_interval(secs => $2) WHERE order_id = $1";
        sqlx::query(sql).bind(order.0).bind(f64::from(seconds_left)).execute(&self.db).await.unwrap();
        if seconds_left <= 0 {
            self.wait_until_expired(order).await;
        }
    }

    pub async fn wait_until_expired(&self, order: OrderId) {
        for _ in 0..400 {
            if self.reservation(order).await.unwrap().state() == pb::reservation::State::Expired {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the hold of {order} did not expire");
    }

    /// The reservations that an order's events told of, the oldest first.
    pub async fn told(&self, order: OrderId) -> Vec<pb::Reservation> {
        let sql = "SELECT payload FROM outbox_events WHERE aggregate = $1 ORDER BY version";
        let aggregate = format!("reservations/{}", order.0);
        let payloads: Vec<Vec<u8>> = sqlx::query_scalar(sql).bind(aggregate).fetch_all(&self.db).await.unwrap();
        payloads.iter().map(|bytes| <pb::Reservation as prost::Message>::decode(&bytes[..]).unwrap()).collect()
    }

    pub async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.db).await.unwrap()
    }

    /// Asserts what must be true of stock whenever nothing is under way.
    pub async fn assert_books_balance(&self) {
        let unexplained = "SELECT count(*) FROM stock s WHERE s.on_hand <> \
            (SELECT coalesce(sum(m.delta), 0) FROM stock_movements m WHERE m.variant_id = s.variant_id)";
        assert_eq!(self.count(unexplained).await, 0, "the ledger's sum is on_hand");
        let unheld = "SELECT count(*) FROM stock s WHERE s.reserved <> (SELECT coalesce(sum(l.quantity), 0)::bigint \
            FROM reservations r, unnest(r.variant_ids, r.quantities) AS l (variant_id, quantity) \
            WHERE r.state = 'HELD' AND l.variant_id = s.variant_id)";
        assert_eq!(self.count(unheld).await, 0, "reserved is what held reservations hold");
        let gaps = "SELECT count(*) FROM (SELECT count(*) AS events, max(version) AS last FROM outbox_events \
            GROUP BY aggregate) AS a WHERE a.events <> a.last";
        assert_eq!(self.count(gaps).await, 0, "event versions have no gaps");
        let uncounted = "SELECT count(*) FROM reservations r WHERE r.version <> \
            (SELECT count(*) FROM outbox_events e WHERE e.aggregate = 'reservations/' || r.order_id)";
        assert_eq!(self.count(uncounted).await, 0, "a reservation's version counts its events");
    }
}

pub fn reservation_lines(lines: &[(&str, i32)]) -> Vec<pb::ReservationLine> {
    let line =
        |(variant, quantity): &(&str, i32)| pb::ReservationLine { variant: (*variant).into(), quantity: *quantity };
    lines.iter().map(line).collect()
}

/// Asserts the code and the reason of an error.
pub fn assert_status(status: &Status, code: Code, reason: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("kontor", reason), "{status:?}");
}

/// Asserts that a request was refused for one field.
pub fn assert_field(status: &Status, field: &str) {
    assert_status(status, Code::InvalidArgument, "FIELD_VIOLATION");
    let fields: Vec<_> = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(fields.iter().map(|violation| violation.field.as_str()).collect::<Vec<_>>(), [field]);
}
