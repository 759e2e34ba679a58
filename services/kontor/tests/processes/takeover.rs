//! An order whose process was killed is driven to its end by another one of the same service.

use std::time::Duration;

use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::order::v1::order::State;
use kontor_proto::kontor::order::v1::order_service_client::OrderServiceClient;
use kontor_proto::kontor::order::v1::{GetOrderRequest, Order, PlaceOrderRequest};
use kontor_runtime::peer::channel;
use kontor_types::ids::new_uuid;
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tonic::transport::Channel;

use crate::apart::{Apart, MUG};
use crate::data_dir::journaled;
use crate::shop::Checkout;

/// The lease is 20 s; then somebody looks every second.
const TAKEN_OVER_MAX: Duration = Duration::from_secs(60);

fn request(checkout: &Checkout) -> PlaceOrderRequest {
    let total = &checkout.total;
    let units = total["units"].as_str().unwrap().parse().unwrap();
    let nanos = i32::try_from(total["nanos"].as_i64().unwrap_or(0)).unwrap();
    PlaceOrderRequest {
        cart: checkout.cart.clone(),
        expected_total: Some(Money { currency_code: "USD".into(), units, nanos }),
        payment_token: "tok_slow".into(),
        request_id: new_uuid().to_string(),
    }
}

#[tokio::test]
async fn a_killed_process_leaves_its_order_to_another_and_it_is_paid_once() {
    let mut apart = Apart::start(Vec::new()).await;
    apart.import().await;
    let (_second, addr) = apart.start_another("order").await;
    let checkout = apart.shop().fill_cart(MUG).await;
    let request = request(&checkout);

    let first = OrderServiceClient::new(channel(&apart.addr("order").to_string()).unwrap());
    let placing = tokio::spawn(place(first, request.clone()));
    until_accepted(&apart, &placing).await;
    apart.program("order").kill();
    placing.await.unwrap().unwrap_err();

    let mut second = OrderServiceClient::new(channel(&addr.to_string()).unwrap());
    let order = place(second.clone(), request).await.unwrap();
    assert_eq!(order.state(), State::Processing, "nobody may drive it before the lease has run out");
    assert_eq!(journaled(&apart.journal(), "capture", &order.name), 0);
    completed(&mut second, &order.name).await;
    assert_eq!(journaled(&apart.journal(), "capture", &order.name), 1, "paid once");
    assert_eq!(apart.shop().stock(&checkout.variant).await, (9, 0), "taken once");
}

async fn place(mut client: OrderServiceClient<Channel>, request: PlaceOrderRequest) -> Result<Order, tonic::Status> {
    client.place_order(request).await.map(tonic::Response::into_inner)
}

/// Waits until the order is accepted, which is long before the call ends: the provider is slow.
async fn until_accepted<T>(apart: &Apart, placing: &JoinHandle<T>) {
    let mut conn = PgConnection::connect(&apart.database.admin_url()).await.unwrap();
    let mut driven = 0i64;
    while driven == 0 {
        assert!(!placing.is_finished(), "it was refused, or ended too soon");
        driven = sqlx::query_scalar("SELECT count(*) FROM \"order\".sagas WHERE lease_until IS NOT NULL")
            .fetch_one(&mut conn)
            .await
            .unwrap();
    }
}

async fn completed(client: &mut OrderServiceClient<Channel>, name: &str) {
    let began = Instant::now();
    loop {
        let order = client.get_order(GetOrderRequest { name: name.into() }).await.unwrap().into_inner();
        if order.state() != State::Processing {
            assert_eq!(order.state(), State::Completed);
            return;
        }
        assert!(began.elapsed() < TAKEN_OVER_MAX, "nobody took it over");
        sleep(Duration::from_millis(100)).await;
    }
}
