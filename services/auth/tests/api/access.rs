//! Access tokens: what they say, and that nothing but ours is taken for one.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_runtime::Claims;
use kontor_runtime::access::permissions_asked;
use kontor_runtime::fault::ErrorReason;
use serde_json::{Value, json};
use tonic::{Code, Request};

use crate::world::{ADMIN, Auth, Database, ISSUER, KEK, PASSWORD, reason};

/// The service's own signing key, opened as only its operator can.
pub(crate) struct Stolen {
    pub(crate) kid: String,
    pub(crate) public: Vec<u8>,
    private: Vec<u8>,
}

impl Stolen {
    async fn from(database: &Database) -> Self {
        let sql = "SELECT kid, public, sealed_private FROM signing_keys";
        let (kid, public, sealed): (String, Vec<u8>, Vec<u8>) =
            sqlx::query_as(sql).fetch_one(&database.pool().await).await.unwrap();
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &STANDARD.decode(KEK).unwrap()).unwrap());
        let (nonce, sealed) = sealed.split_at(NONCE_LEN);
        let (nonce, mut private) = (Nonce::try_assume_unique_for_key(nonce).unwrap(), sealed.to_vec());
        let place = format!("auth.signing_keys.sealed_private.{kid}");
        let private = key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut private).unwrap().to_vec();
        Self { kid, public, private }
    }

    pub(crate) fn header(&self) -> Header {
        Header { typ: Some("at+jwt".into()), kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) }
    }

    pub(crate) fn sign(&self, header: &Header, claims: &Claims) -> String {
        encode(header, claims, &EncodingKey::from_ed_der(&self.private)).unwrap()
    }
}

pub(crate) fn claims(user: &str) -> Claims {
    let now = i64::try_from(get_current_timestamp()).unwrap();
    Claims {
        iss: ISSUER.into(),
        sub: user.into(),
        aud: "kontor".into(),
        client_id: "kontor".into(),
        iat: now,
        exp: now + 300,
        jti: "1".into(),
        sid: String::new(),
        scope: String::new(),
    }
}

struct World {
    auth: Auth,
    key: Stolen,
    user: String,
}

impl World {
    async fn new() -> Self {
        let (auth, database) = Auth::new().await;
        let token = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
        let user = auth.get_user(&token, "users/me").await.unwrap().name;
        Self { auth, key: Stolen::from(&database).await, user }
    }

    async fn refusal(&self, token: &str) -> ErrorReason {
        let refusal = self.auth.get_user(token, "users/me").await.unwrap_err();
        assert_eq!(refusal.code(), Code::Unauthenticated);
        reason::<()>(Err(refusal))
    }
}

#[tokio::test]
async fn a_token_says_what_rfc_9068_asks_for() {
    let (auth, _database) = Auth::new().await;
    let token = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    let part = |n: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
    };
    let kid = auth.jwks().await.keys[0].kid.clone();
    assert_eq!(part(0), json!({"typ": "at+jwt", "alg": "EdDSA", "kid": kid}));
    let claims = part(1);
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["client_id"]),
        (&json!(ISSUER), &json!("kontor"), &json!("kontor"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    let all: Vec<_> = permissions_asked().into_iter().collect();
    assert_eq!(claims["scope"], all.join(" "));
    for id in ["jti", "sid"] {
        assert_eq!(claims[id].as_str().unwrap().len(), 36, "{id}");
    }
}

#[tokio::test]
async fn only_our_key_type_audience_and_issuer_make_a_token() {
    let World { ref auth, ref key, ref user } = World::new().await;
    let world = World::new().await;
    // What is varied below is accepted as it is.
    auth.get_user(&key.sign(&key.header(), &claims(user)), "users/me").await.unwrap();

    let (good, mine) = (claims(&world.user), &world.key);
    let header = mine.header();
    let forged = [
        ("another audience", mine.sign(&header, &Claims { aud: "other".into(), ..good.clone() })),
        ("another issuer", mine.sign(&header, &Claims { iss: "http://other".into(), ..good.clone() })),
        ("no user", mine.sign(&header, &Claims { sub: "users/1".into(), ..good.clone() })),
        ("another type", mine.sign(&Header { typ: Some("JWT".into()), ..header.clone() }, &good)),
        ("no type", mine.sign(&Header { typ: None, ..header.clone() }, &good)),
        ("no key id", mine.sign(&Header { kid: None, ..header.clone() }, &good)),
        ("a foreign key under our id", Stolen { kid: mine.kid.clone(), ..foreign() }.sign(&header, &good)),
        ("a foreign key under its own id", foreign().sign(&foreign().header(), &good)),
        ("our key of another service", key.sign(&key.header(), &good)),
    ];
    for (what, token) in &forged {
        assert_eq!(world.refusal(token).await, ErrorReason::TokenInvalid, "{what}");
    }
}

/// A key that is not the service's.
pub(crate) fn foreign() -> Stolen {
    let pair = Ed25519KeyPair::generate().unwrap();
    let private = pair.to_pkcs8().unwrap().as_ref().to_vec();
    Stolen { kid: "foreign".into(), public: pair.public_key().as_ref().to_vec(), private }
}

#[tokio::test]
async fn an_expired_token_is_told_from_an_invalid_one() {
    let world = World::new().await;
    let good = claims(&world.user);
    let expired = Claims { iat: good.iat - 301, exp: good.iat - 1, ..good };
    let token = world.key.sign(&world.key.header(), &expired);
    assert_eq!(world.refusal(&token).await, ErrorReason::TokenExpired);
}

#[tokio::test]
async fn no_other_algorithm_is_taken() {
    let world = World::new().await;
    let good = claims(&world.user);
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&good).unwrap());
    let header = json!({"typ": "at+jwt", "alg": "none", "kid": world.key.kid}).to_string();
    let unsigned = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(header));
    assert_eq!(world.refusal(&unsigned).await, ErrorReason::TokenInvalid);

    let header = Header { alg: Algorithm::HS256, ..world.key.header() };
    let x = URL_SAFE_NO_PAD.encode(&world.key.public);
    for secret in [world.key.public.as_slice(), x.as_bytes()] {
        let token = encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(world.refusal(&token).await, ErrorReason::TokenInvalid);
    }
}

#[tokio::test]
async fn a_changed_token_is_invalid_and_none_is_missing() {
    let (auth, _database) = Auth::new().await;
    let token = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let flipped: String = signature.chars().rev().collect();
    let refused = auth.get_user(&format!("{rest}.{flipped}"), "users/me").await;
    assert_eq!(reason(refused), ErrorReason::TokenInvalid);
    let request = Request::new(pb::GetUserRequest { name: "users/me".into() });
    assert_eq!(reason(auth.send_get_user(request).await), ErrorReason::TokenMissing);
}

#[tokio::test]
async fn two_authorization_headers_are_refused_even_if_both_are_good() {
    let (auth, _database) = Auth::new().await;
    let token = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    let value: tonic::metadata::AsciiMetadataValue = format!("Bearer {token}").parse().unwrap();
    let mut request = Request::new(pb::GetUserRequest { name: "users/me".into() });
    request.metadata_mut().append("authorization", value.clone());
    request.metadata_mut().append("authorization", value);
    assert_eq!(reason(auth.send_get_user(request).await), ErrorReason::TokenInvalid);
}
