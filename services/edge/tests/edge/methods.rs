//! Which paths and HTTP methods there are, and which there are not.

use reqwest::{Client, Method, Version};

use crate::support::{CART, Harness, problem, problem_of};

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let edge = Harness::start().await;
    for path in
        ["/", "/v1/nothing", "/v1/products/", "/v1/products/a:b", "/v2/products", "/V1/products", "//v1/products"]
    {
        let (status, body) = problem(edge.get(path)).await;
        assert_eq!((status, body["reason"].as_str()), (404, Some("METHOD_NOT_FOUND")), "{path}");
        assert_eq!(body["violations"], serde_json::json!([]));
        assert!(body["detail"].as_str().unwrap().contains(path));
    }
}

#[tokio::test]
async fn internal_methods_have_no_route() {
    let edge = Harness::start().await;
    let service = "kontor.catalog.v1.InventoryService";
    let paths = [format!("/{service}/ReserveStock"), "/v1/reservations".into(), "/v1/stock:reserve".into()];
    for path in paths {
        assert_eq!(problem(edge.post(&path, "{}")).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let edge = Harness::start().await;
    let response = edge.request(Method::DELETE, &format!("/v1/{CART}")).send().await.unwrap();
    assert_eq!(response.headers()["allow"], "GET, HEAD, OPTIONS, PATCH");
    assert_eq!(problem_of(response).await.0, 405);
    let response = edge.get("/v1/orders").send().await.unwrap();
    assert_eq!(response.headers()["allow"], "OPTIONS, POST");
    assert_eq!(problem_of(response).await.0, 405);
}

#[tokio::test]
async fn options_lists_the_methods() {
    let edge = Harness::start().await;
    let response = edge.request(Method::OPTIONS, &format!("/v1/{CART}")).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["allow"]),
        (204, &"GET, HEAD, OPTIONS, PATCH".parse().unwrap())
    );
    assert_eq!(problem(edge.request(Method::OPTIONS, "/v1/nothing")).await.0, 404);
}

/// They may hold tokens, or a guest's address.
#[tokio::test]
async fn answers_and_problems_are_not_for_caches() {
    let edge = Harness::start().await;
    for (path, status) in [("/v1/products/mug", 200), ("/v1/unicorns", 404)] {
        let response = edge.get(path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["cache-control"]),
            (status, &"no-store".parse().unwrap())
        );
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let edge = Harness::start().await;
    let get = edge.get("/v1/products/x").send().await.unwrap();
    let head = edge.request(Method::HEAD, "/v1/products/x").send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], get.headers()["content-length"]);
    assert_eq!(head.text().await.unwrap(), "");
    let missing = edge.request(Method::HEAD, "/v1/nothing").send().await.unwrap();
    assert_eq!((missing.status().as_u16(), missing.text().await.unwrap()), (404, String::new()));
}

#[tokio::test]
async fn http2_is_spoken_with_prior_knowledge() {
    let edge = Harness::start().await;
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    for method in [Method::GET, Method::HEAD] {
        let request = client.request(method, format!("http://{}/v1/products/x", edge.address));
        let response = request.send().await.unwrap();
        assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_2, 200));
    }
}
