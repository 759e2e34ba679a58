//! Whoever is shut out is shut out everywhere: auth tells catalog and order, and their tokens are refused long before they expire.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::Api;
use crate::buyer::{buy, cart_with, name};
use crate::goods::{Goods, unique};
use crate::people::{PASSWORD, User, sign_up};

/// Somebody with an order of their own, and what reads it with their token.
struct Buyer {
    user: User,
    api: Api,
    order: String,
}

impl Buyer {
    async fn new() -> Self {
        let user = sign_up().await;
        let api = Api::with_token(&user.access_token);
        let goods = Goods::stocked(3).await;
        let order = buy(&api, &cart_with(&api, &goods.variant, 1).await).await;
        Self { user, api, order: format!("/v1/{}", name(&order)) }
    }

    /// Order and auth refuse the token soon, and the order stays as it was.
    async fn is_shut_out(&self) {
        let admin = Api::administrator().await;
        let before = admin.get(&self.order).await.ok();
        refused_soon(&self.api, &self.order).await;
        refused_soon(&self.api, "/v1/users/me").await;
        assert_eq!(admin.get(&self.order).await.ok(), before);
        let refresh = json!({"refreshToken": self.user.refresh_token});
        Api::guest().post("/v1/auth:refreshTokens", &refresh).await.refused(401, "REFRESH_TOKEN_INVALID");
    }
}

/// The token is good for five minutes; how soon exactly it is refused is for the bench to tell.
async fn refused_soon(api: &Api, path: &str) {
    let begun = Instant::now();
    loop {
        let answer = api.get(path).await;
        if answer.status != 200 {
            answer.refused(401, "TOKEN_REVOKED");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{path} still answers");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn done(api: &Api, path: &str, body: &Value) {
    api.post(path, body).await.ok();
}

#[tokio::test]
async fn signing_out_reaches_every_service() {
    let buyer = Buyer::new().await;
    done(&Api::guest(), "/v1/auth:signOut", &json!({"refreshToken": buyer.user.refresh_token})).await;
    buyer.is_shut_out().await;
}

#[tokio::test]
async fn suspension_reaches_every_service_and_its_end_wants_a_new_sign_in() {
    let (buyer, admin) = (Buyer::new().await, Api::administrator().await);
    done(&admin, &format!("/v1/{}:suspend", buyer.user.name), &json!({})).await;
    buyer.is_shut_out().await;
    let who = json!({"email": buyer.user.email, "password": PASSWORD});
    Api::guest().post("/v1/auth:signIn", &who).await.refused(403, "ACCOUNT_SUSPENDED");

    done(&admin, &format!("/v1/{}:unsuspend", buyer.user.name), &json!({})).await;
    buyer.is_shut_out().await;
    let answer = Api::guest().post("/v1/auth:signIn", &who).await.ok();
    let again = Api::with_token(answer["tokens"]["accessToken"].as_str().unwrap());
    again.get(&buyer.order).await.ok();
}

#[tokio::test]
async fn another_password_ends_the_sessions_elsewhere_and_not_this_one() {
    let buyer = Buyer::new().await;
    let who = json!({"email": buyer.user.email, "password": PASSWORD});
    let answer = Api::guest().post("/v1/auth:signIn", &who).await.ok();
    let here = Api::with_token(answer["tokens"]["accessToken"].as_str().unwrap());
    let change = json!({"currentPassword": PASSWORD, "newPassword": "quite another passphrase"});
    done(&here, "/v1/users/me:changePassword", &change).await;
    buyer.is_shut_out().await;
    here.get(&buyer.order).await.ok();
}

#[tokio::test]
async fn a_refresh_token_that_was_stolen_ends_the_session_everywhere() {
    let buyer = Buyer::new().await;
    let refresh = |token: &str| json!({"refreshToken": token});
    let path = "/v1/auth:refreshTokens";
    let next = Api::guest().post(path, &refresh(&buyer.user.refresh_token)).await.ok();
    let next = next["tokens"]["refreshToken"].as_str().unwrap().to_owned();
    Api::guest().post(path, &refresh(&next)).await.ok();
    Api::guest().post(path, &refresh(&buyer.user.refresh_token)).await.refused(401, "REFRESH_TOKEN_INVALID");
    buyer.is_shut_out().await;
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_its_orders_stay() {
    let buyer = Buyer::new().await;
    Answer::to(buyer.api.request(Method::DELETE, "/v1/users/me")).await.ok();
    buyer.is_shut_out().await;
    let who = json!({"email": buyer.user.email, "password": PASSWORD});
    Api::guest().post("/v1/auth:signIn", &who).await.refused(401, "CREDENTIALS_INVALID");
}

#[tokio::test]
async fn a_deleted_key_ends_what_it_has_bought() {
    let (buyer, admin) = (Buyer::new().await, Api::administrator().await);
    let account = unique("w");
    let account = &account[..40.min(account.len())];
    done(&admin, &format!("/v1/serviceAccounts?serviceAccountId={account}"), &json!({})).await;
    let member = format!("serviceAccounts/{account}");
    done(&admin, "/v1/roleBindings", &json!({"role": "roles/fulfilment", "member": member})).await;
    let key = admin.post(&format!("/v1/{member}/keys"), &json!({"scopes": ["order.read"]})).await.ok();
    let token = Api::guest().post("/v1/auth:issueServiceToken", &json!({"key": key["secret"]})).await.ok();
    let program = Api::with_token(token["accessToken"].as_str().unwrap());
    program.get(&buyer.order).await.ok();
    // In no scope of the key, though in the account's role.
    let goods = Goods::stocked(1).await;
    let change = json!({"delta": "5", "reason": "RECEIVED"});
    program.post(&format!("/v1/{}:adjustStock", goods.variant), &change).await.refused(403, "PERMISSION_MISSING");
    assert_eq!(goods.stock().await, (1, 0));

    let key_path = format!("/v1/{}", key["key"]["name"].as_str().unwrap());
    Answer::to(admin.request(Method::DELETE, &key_path)).await.ok();
    refused_soon(&program, &buyer.order).await;
    let again = Api::guest().post("/v1/auth:issueServiceToken", &json!({"key": key["secret"]})).await;
    again.refused(401, "CREDENTIALS_INVALID");
}
