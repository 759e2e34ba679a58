//! What is no token of ours.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_proto::kontor::auth::v1::token_service_server::TokenServiceServer;
use kontor_runtime::fault::ErrorReason::{TokenExpired, TokenInvalid};
use kontor_runtime::{Server, Subject};
use kontor_testkit::issuer::{Issuer, claims, header};
use kontor_testkit::{listener, with_token};
use kontor_types::ids::UserId;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tonic::Code::Unauthenticated;

use crate::{assert_refused, verifier};

/// The claims of a good token, to be changed.
fn good() -> Value {
    json!(claims(&UserId::generate().to_string(), "catalog.edit"))
}

fn with(member: &str, value: Value) -> Value {
    let mut claims = good();
    claims[member] = value;
    claims
}

fn without(member: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(member);
    claims
}

fn token(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn claims_that_are_not_as_agreed_are_refused() {
    let issuer = Issuer::start().await;
    let verifier = verifier(&issuer);
    let caller = verifier.verify(&issuer.sign_as(&header(), &good())).await.unwrap();
    assert!(matches!(caller.subject, Subject::User(_)) && caller.may("catalog.edit"));
    let exp = good()["exp"].as_i64().unwrap();
    let bad = [
        without("exp"),
        with("exp", json!(exp.to_string())),
        with("exp", json!("never")),
        with("exp", Value::Null),
        with("exp", json!([exp])),
        with("iss", json!("http://issuer.test/")),
        with("iss", json!("http://elsewhere.test")),
        without("iss"),
        with("aud", json!("other")),
        with("aud", json!("")),
        without("aud"),
        without("sub"),
        with("sub", json!("")),
        with("sub", json!("users/1")),
        with("sub", json!("users/me")),
        with("iat", json!(exp)),
        with("sid", json!("no session")),
        with("scope", json!(["catalog.edit"])),
        json!([]),
    ];
    for claims in bad {
        let answer = verifier.verify(&issuer.sign_as(&header(), &claims)).await;
        assert_refused(answer, Unauthenticated, TokenInvalid, &claims.to_string());
    }
    for exp in [exp - 301, 0] {
        let answer = verifier.verify(&issuer.sign_as(&header(), &with("exp", json!(exp)))).await;
        assert_refused(answer, Unauthenticated, TokenExpired, "expired");
    }
}

#[tokio::test]
async fn headers_that_are_not_as_agreed_are_refused() {
    let issuer = Issuer::start().await;
    let verifier = verifier(&issuer);
    let bad = [
        Header { typ: None, ..header() },
        Header { typ: Some("JWT".into()), ..header() },
        Header { typ: Some("AT+JWT ".into()), ..header() },
        Header { kid: None, ..header() },
        Header { kid: Some(String::new()), ..header() },
        Header { kid: Some("../test".into()), ..header() },
    ];
    for header in bad {
        let answer = verifier.verify(&issuer.sign_as(&header, &good())).await;
        assert_refused(answer, Unauthenticated, TokenInvalid, &format!("{header:?}"));
    }
    let good = issuer.sign_as(&header(), &good());
    for bad in ["", ".", "..", "a.b.c", &good[1..], &good[..good.len() - 4], &format!("{good}.e30"), &"a".repeat(9000)]
    {
        assert_refused(verifier.verify(bad).await, Unauthenticated, TokenInvalid, bad);
    }
}

#[tokio::test]
async fn no_other_algorithm_is_taken() {
    let issuer = Issuer::start().await;
    let verifier = verifier(&issuer);
    let mut auth = TokenServiceClient::new(kontor_runtime::peer::channel(&issuer.addr.to_string()).unwrap());
    let x = auth.get_jwks(pb::GetJwksRequest {}).await.unwrap().into_inner().keys.remove(0).x;
    for alg in ["none", "None", "NONE", "", "EdDSA", "Ed25519"] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": "test"});
        for signature in [&b""[..], &[0; 64]] {
            let answer = verifier.verify(&token(&header, &good(), signature)).await;
            assert_refused(answer, Unauthenticated, TokenInvalid, alg);
        }
    }
    // The public key as if it were a shared secret.
    for secret in [URL_SAFE_NO_PAD.decode(&x).unwrap(), x.into_bytes()] {
        for alg in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let header = Header { alg, ..header() };
            let token = encode(&header, &good(), &EncodingKey::from_secret(&secret)).unwrap();
            assert_refused(verifier.verify(&token).await, Unauthenticated, TokenInvalid, "a shared secret");
        }
    }
}

#[tokio::test]
async fn a_key_that_the_token_brings_or_points_to_is_not_asked_for() {
    let issuer = Issuer::start().await;
    let verifier = verifier(&issuer);
    let (trap, addr) = listener().await;
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let key = EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref());
    for kid in ["test", "mine"] {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "alg": "EdDSA", "use": "sig"});
        let jwk: Jwk = serde_json::from_value(jwk).unwrap();
        let url = Some(format!("http://{addr}/.well-known/jwks.json"));
        let bad = [
            Header { jwk: Some(jwk), ..header() },
            Header { jku: url.clone(), ..header() },
            Header { x5u: url.clone(), ..header() },
        ];
        for header in bad.map(|header| Header { kid: Some(kid.into()), ..header }) {
            let token = encode(&header, &good(), &key).unwrap();
            assert_refused(verifier.verify(&token).await, Unauthenticated, TokenInvalid, &format!("{header:?}"));
            // Signed by ours, what they say besides is nothing to us.
            let header = Header { kid: Some("test".into()), ..header };
            verifier.verify(&issuer.sign_as(&header, &good())).await.unwrap();
        }
    }
    let knock = tokio::time::timeout(std::time::Duration::from_millis(200), trap.accept()).await;
    assert!(knock.is_err(), "somebody came for the key");
}

#[tokio::test]
async fn one_good_header_is_needed_and_no_more() {
    let issuer = Issuer::start().await;
    let (socket, addr) = listener().await;
    let server = Server::new("test", verifier(&issuer).into()).with(TokenServiceServer::new(issuer.clone()));
    tokio::spawn(server.serve(socket, CancellationToken::new()));
    let auth = TokenServiceClient::new(kontor_runtime::peer::channel(&addr.to_string()).unwrap());
    let good = format!("Bearer {}", issuer.user(UserId::generate(), &[]));
    let send = async |values: &[&str]| {
        let mut request = tonic::Request::new(pb::GetJwksRequest {});
        for value in values {
            request.metadata_mut().append("authorization", value.parse().unwrap());
        }
        auth.clone().get_jwks(request).await
    };
    send(&[]).await.unwrap();
    send(&[&good]).await.unwrap();
    let bare = good.trim_start_matches("Bearer ");
    let good = good.as_str();
    for bad in [&[good, good][..], &["", good], &[good, "Basic YTpi"], &["Basic YTpi"], &[bare], &["Bearer"], &[""]] {
        assert_refused(send(bad).await, Unauthenticated, TokenInvalid, &format!("{} headers", bad.len()));
    }
    let both = with_token(pb::GetJwksRequest {}, &format!("{bare}, {good}"));
    assert_refused(auth.clone().get_jwks(both).await, Unauthenticated, TokenInvalid, "two in one");
}
