//! A buyer and an operator who speak HTTP.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

pub(crate) const KETTLE: &str = "products/pour-over-kettle";

/// The administrator of a `kontor up` that was told no other.
pub(crate) const ADMIN: &str = "admin@kontor.localhost";

#[derive(Clone)]
pub(crate) struct Shop {
    base: String,
    http: Client,
}

pub(crate) struct Checkout {
    pub(crate) cart: String,
    pub(crate) variant: String,
    pub(crate) total: Value,
}

impl Shop {
    pub(crate) fn at(base: String) -> Self {
        Self { base, http: Client::new() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{path}", self.base)).timeout(Duration::from_secs(30))
    }

    /// The answer, which must be a good one.
    pub(crate) async fn get(&self, path: &str) -> Value {
        good(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        good(self.request(Method::POST, path).json(body)).await
    }

    /// The HTTP status and body of `/readyz`; 0 when nobody answers.
    pub(crate) async fn readiness(&self) -> (u16, Value) {
        match self.request(Method::GET, "readyz").send().await {
            Ok(answer) => (answer.status().as_u16(), answer.json().await.unwrap_or_default()),
            Err(_) => (0, Value::Null),
        }
    }

    pub(crate) async fn product_count(&self) -> usize {
        let page = self.get("v1/products?pageSize=100").await;
        assert!(page.get("nextPageToken").is_none_or(|token| token == ""), "more than one page");
        page["products"].as_array().map_or(0, Vec::len)
    }

    /// A cart with one unit of a product's first variant.
    pub(crate) async fn fill_cart(&self, product: &str) -> Checkout {
        let variant = self.get(&format!("v1/{product}")).await["variants"][0]["name"].as_str().unwrap().to_owned();
        let cart = self.post("v1/carts", &json!({})).await["name"].as_str().unwrap().to_owned();
        let item = json!({"variant": variant, "quantity": 1});
        let total = self.post(&format!("v1/{cart}:setItem"), &item).await["total"].clone();
        Checkout { cart, variant, total }
    }

    /// The call that places the order, to be sent.
    pub(crate) fn place(&self, checkout: &Checkout, token: &str) -> RequestBuilder {
        let body = json!({"cart": checkout.cart, "expectedTotal": checkout.total, "paymentToken": token});
        self.request(Method::POST, "v1/orders").json(&body)
    }

    /// Buys one unit of the product's first variant, and returns the completed order.
    pub(crate) async fn buy(&self, product: &str) -> Value {
        let checkout = self.fill_cart(product).await;
        let order = good(self.place(&checkout, "tok_approve")).await;
        self.completed(order["name"].as_str().unwrap(), Duration::from_secs(30)).await
    }

    /// The order, once it is completed.
    pub(crate) async fn completed(&self, order: &str, limit: Duration) -> Value {
        let began = Instant::now();
        loop {
            let order = self.get(&format!("v1/{order}")).await;
            if order["state"] != "PROCESSING" {
                assert_eq!(order["state"], "COMPLETED", "{order}");
                return order;
            }
            assert!(began.elapsed() < limit, "still processing: {order}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Units on hand, and those of them that orders hold.
    pub(crate) async fn stock(&self, variant: &str) -> (i64, i64) {
        let stock = self.get(&format!("v1/{variant}/stock")).await;
        // JSON holds int64 as text; zero may be left out.
        let number = |field: &str| stock[field].as_str().map_or(0, |text| text.parse().unwrap());
        (number("onHand"), number("reserved"))
    }

    /// An access token, if the password is right.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Option<String> {
        let body = json!({"email": email, "password": password});
        let answer = self.request(Method::POST, "v1/auth:signIn").json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        Some(answer["tokens"]["accessToken"].as_str()?.to_owned())
    }

    pub(crate) async fn import(&self, token: &str, csv: &'static str) -> Value {
        let import = self.request(Method::POST, "v1/products:import").bearer_auth(token);
        good(import.header("content-type", "text/csv").body(csv)).await
    }
}

/// Sends a request whose answer must be a good one.
pub(crate) async fn good(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let (status, url) = (answer.status(), answer.url().path().to_owned());
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{url}: {status}: {text}");
    serde_json::from_str(&text).unwrap()
}
