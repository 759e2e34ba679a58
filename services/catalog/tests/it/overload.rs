//! More calls than the catalog can do: it refuses what is too much, and says that it is alive.

use std::time::Duration;

use kontor_proto::kontor::catalog::v1 as pb;
use pb::product_service_client::ProductServiceClient;
use sqlx::Executor;
use tokio::task::JoinSet;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

use crate::shop::{Shop, assert_status};

/// Each connection carries two hundred calls at a time.
const CONNECTIONS: usize = 8;
const CALLS_EACH: usize = 190;

#[tokio::test]
async fn too_many_calls_are_refused_at_once_and_the_catalog_stays_ready() {
    let shop = Shop::open().await;
    let mut holder = shop.db.acquire().await.unwrap();
    holder.execute("BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let channel = Endpoint::from_shared(format!("http://{}", shop.addr)).unwrap().connect().await.unwrap();
        for _ in 0..CALLS_EACH {
            let mut products = ProductServiceClient::new(channel.clone());
            calls.spawn(async move { products.list_products(pb::ListProductsRequest::default()).await });
        }
    }
    let refused = overloaded(&mut calls).await;
    assert_status(&refused, Code::ResourceExhausted, "OVERLOADED");
    assert!(refused.get_details_retry_info().is_some());

    let health = Endpoint::from_shared(format!("http://{}", shop.addr)).unwrap().connect().await.unwrap();
    for _ in 0..20 {
        let request = HealthCheckRequest { service: "kontor.catalog.v1.ProductService".into() };
        let answer = HealthClient::new(health.clone()).check(request).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving.into());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    holder.execute("ROLLBACK").await.unwrap();
    while let Some(answer) = calls.join_next().await {
        if let Err(status) = answer.unwrap() {
            assert!(matches!(status.code(), Code::ResourceExhausted | Code::Unavailable), "{status:?}");
        }
    }
    shop.products.clone().list_products(pb::ListProductsRequest::default()).await.unwrap();
}

/// The first refusal of a call that found no place, of which there is one. Others wait for a connection to the database, or for the table.
async fn overloaded<T: 'static>(calls: &mut JoinSet<Result<T, Status>>) -> Status {
    loop {
        let answer = calls.join_next().await.unwrap().unwrap();
        if let Err(status) = answer.map(drop)
            && status.code() == Code::ResourceExhausted
        {
            return status;
        }
    }
}
