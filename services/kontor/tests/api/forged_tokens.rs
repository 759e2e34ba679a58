//! Access tokens that are not good: refused with the right reason, by every service, even where no token is needed.

use kontor_runtime::Claims;
use kontor_testkit::Issuer;
use kontor_testkit::issuer::claims;
use kontor_types::ids::UserId;
use reqwest::Method;

use crate::answer::assert_refused;
use crate::api::Api;
use crate::signing_key::sign;
use crate::stack::stack;

/// One path of each service; none but the first needs a token.
const PATHS: [&str; 3] = ["/v1/users/me", "/v1/products", "/v1/carts/0123456789abcdefghijkl"];

/// What the stack's tokens say of a user.
fn good_claims() -> Claims {
    let iss = format!("http://{}", stack().up.edge_addr);
    Claims { iss, ..claims(&UserId::generate().to_string(), "") }
}

async fn assert_each_refuses(what: &str, token: &str, reason: &str) {
    let caller = Api::with_token(token);
    let request = |path| (what, caller.request(Method::GET, path), 401, reason, "");
    assert_refused(PATHS.map(request).into()).await;
}

#[tokio::test]
async fn tokens_that_auth_did_not_sign_are_invalid() {
    let foreign = Issuer::start().await;
    for (what, token) in [
        ("garbage", "garbage".to_owned()),
        ("a JWT's shape", "eyJhbGciOiJub25lIn0.e30.".into()),
        ("a long one", "x".repeat(5000)),
        ("a foreign issuer's", foreign.user(UserId::generate(), &["catalog.edit"])),
        ("a foreign key's", foreign.sign(&good_claims())),
        ("a foreign service's", foreign.service("order")),
    ] {
        assert_each_refuses(what, &token, "TOKEN_INVALID").await;
    }
}

#[tokio::test]
async fn tokens_of_ours_for_others_are_invalid() {
    let good = good_claims();
    Api::with_token(&sign(&good).await).get("/v1/products").await.ok();
    for (what, claims) in [
        ("for another audience", Claims { aud: "other".into(), ..good.clone() }),
        ("of another issuer", Claims { iss: "http://other".into(), ..good.clone() }),
        ("for nobody", Claims { sub: "users/1".into(), ..good }),
    ] {
        assert_each_refuses(what, &sign(&claims).await, "TOKEN_INVALID").await;
    }
}

#[tokio::test]
async fn an_expired_token_is_told_from_an_invalid_one() {
    let good = good_claims();
    let expired = Claims { iat: good.iat - 301, exp: good.iat - 1, ..good };
    assert_each_refuses("expired", &sign(&expired).await, "TOKEN_EXPIRED").await;
}

#[tokio::test]
async fn other_ways_to_authorise_are_refused_not_ignored() {
    let get = || Api::guest().request(Method::GET, "/v1/products");
    let twice = get().header("authorization", "Bearer a").header("authorization", "Bearer b");
    let invalid = "TOKEN_INVALID";
    assert_refused(vec![
        ("a password", get().basic_auth("ada", Some("secret")), 401, invalid, ""),
        ("no token", get().header("authorization", "Bearer "), 401, invalid, ""),
        ("no scheme", get().header("authorization", "token"), 401, invalid, ""),
        ("two tokens", twice, 401, invalid, ""),
    ])
    .await;
}
