//! A caller of the HTTP API.

use std::net::Ipv4Addr;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::stack::{ADMIN_EMAIL, ADMIN_PASSWORD, stack};

/// A caller, with or without an access token.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    pub(crate) token: Option<String>,
}

impl Api {
    pub(crate) fn guest() -> Self {
        Self { client: Client::new(), token: None }
    }

    pub(crate) fn with_token(token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::guest() }
    }

    pub(crate) async fn administrator() -> Self {
        let who = json!({"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD});
        let answer = Self::guest().post("/v1/auth:signIn", &who).await.ok();
        Self::with_token(answer["tokens"]["accessToken"].as_str().unwrap())
    }

    /// A request to a path, with its query.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", stack().up.edge_addr));
        // The tests are many callers behind one proxy: attempts of the one do not count for the other.
        let request = request.header("x-forwarded-for", Ipv4Addr::from_bits(rand::random()).to_string());
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// A POST of JSON, not sent yet.
    pub(crate) fn posting(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path).json(body)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::to(self.posting(path, body)).await
    }

    /// A resource by its name, which must be there.
    pub(crate) async fn read(&self, name: &Value) -> Value {
        self.get(&format!("/v1/{}", name.as_str().unwrap())).await.ok()
    }
}
