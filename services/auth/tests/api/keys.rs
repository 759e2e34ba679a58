//! Signing keys come and go, and no token suffers that should not.

use std::time::Duration;

use futures_util::future::join_all;
use jsonwebtoken::decode_header;
use kontor_auth::Config;
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::signing_key::State;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_runtime::Verifier;
use kontor_runtime::fault::ErrorReason;
use sqlx::PgPool;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::access::{claims, foreign};
use crate::world::{ADMIN, Auth, Database, ISSUER, PASSWORD, reason};

/// A service with its administrator's token, and the database below it.
struct World {
    auth: Auth,
    token: String,
    database: Database,
    pool: PgPool,
}

impl World {
    async fn new() -> Self {
        let (auth, database) = Auth::new().await;
        let (token, pool) = (token(&auth).await, database.pool().await);
        Self { auth, token, database, pool }
    }

    async fn rotate(&self, compromised: bool) -> pb::SigningKey {
        rotate(&self.auth, &self.token, compromised).await.unwrap()
    }

    /// The keys with their states, newest first.
    async fn keys(&self) -> Vec<(String, State)> {
        list(&self.auth, &self.token).await
    }

    /// Sets the clock forward, as the keys see it.
    async fn pass(&self, time: &str) {
        let sql = "UPDATE signing_keys SET create_time = create_time - $1::interval, \
                   activate_time = activate_time - $1::interval, retire_time = retire_time - $1::interval";
        sqlx::query(sql).bind(time).execute(&self.pool).await.unwrap();
    }

    /// A token that this key has signed; waits until that key signs.
    async fn token_of(&self, kid: &str) -> String {
        loop {
            let token = token(&self.auth).await;
            if kid_of(&token) == kid {
                return token;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How the service itself takes a token, and how another does that has just started.
    async fn verdicts(&self, token: &str) -> [Result<(), ErrorReason>; 2] {
        let here = self.auth.get_user(token, "users/me").await.map(|_| ());
        let there = Verifier::remote(ISSUER, self.auth.channel.clone()).verify(token).await.map(|_| ());
        [here, there].map(|verdict| verdict.map_err(|refusal| reason::<()>(Err(refusal))))
    }
}

async fn token(auth: &Auth) -> String {
    auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token
}

fn kid_of(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

fn tokens(auth: &Auth) -> TokenServiceClient<Channel> {
    TokenServiceClient::new(auth.channel.clone())
}

fn with_token<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

async fn rotate(auth: &Auth, token: &str, compromised: bool) -> Result<pb::SigningKey, Status> {
    let request = with_token(token, pb::RotateSigningKeyRequest { compromised });
    Ok(tokens(auth).rotate_signing_key(request).await?.into_inner())
}

async fn list(auth: &Auth, token: &str) -> Vec<(String, State)> {
    let answer = tokens(auth).list_signing_keys(with_token(token, pb::ListSigningKeysRequest {})).await.unwrap();
    answer.into_inner().signing_keys.into_iter().map(|key| (key.kid.clone(), key.state())).collect()
}

/// The ids of the keys that are published, in order.
async fn published(auth: &Auth) -> Vec<String> {
    let mut kids: Vec<_> = auth.jwks().await.keys.into_iter().map(|key| key.kid).collect();
    kids.sort();
    kids
}

fn sorted<const N: usize>(kids: [&String; N]) -> Vec<String> {
    let mut kids: Vec<_> = kids.into_iter().cloned().collect();
    kids.sort();
    kids
}

/// Who rotated, and whether they said that the keys were compromised.
async fn rotations(pool: &PgPool) -> Vec<(String, String, String)> {
    let sql = "SELECT actor, resource, details->>'compromised' FROM audit_events \
               WHERE action = 'signing_key.rotated' ORDER BY id";
    sqlx::query_as(sql).fetch_all(pool).await.unwrap()
}

#[tokio::test]
async fn a_new_key_is_published_then_signs_and_the_old_ones_tokens_stay_good_until_they_expire() {
    let world = World::new().await;
    let old = kid_of(&world.token);
    let new = world.rotate(false).await;
    assert_eq!(new.state(), State::Published);
    assert_eq!(world.rotate(false).await, new, "one that waits is answered again");
    assert_eq!(world.keys().await, [(new.kid.clone(), State::Published), (old.clone(), State::Active)]);
    assert_eq!(published(&world.auth).await, sorted([&old, &new.kid]));
    for _ in 0..3 {
        assert_eq!(kid_of(&token(&world.auth).await), old, "what is only published does not sign");
    }

    world.pass("15 minutes").await;
    let late = world.token_of(&new.kid).await;
    assert_eq!(world.keys().await, [(new.kid.clone(), State::Active), (old.clone(), State::Retiring)]);
    for token in [&world.token, &late] {
        assert_eq!(world.verdicts(token).await, [Ok(()), Ok(())]);
    }

    // Longer than any token lives. This one has not expired: it was made a moment ago.
    world.pass("8 minutes").await;
    while published(&world.auth).await.len() > 1 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let invalid = Err(ErrorReason::TokenInvalid);
    assert_eq!(world.verdicts(&world.token).await, [invalid, invalid]);
    assert_eq!(world.verdicts(&late).await, [Ok(()), Ok(())]);
    assert_eq!(list(&world.auth, &late).await, [(new.kid.clone(), State::Active), (old, State::Retired)]);
    let events = rotations(&world.pool).await;
    assert_eq!(events.len(), 1);
    assert!(events[0].0.starts_with("users/") && events[0].1 == format!("signingKeys/{}", new.kid), "{events:?}");
}

#[tokio::test]
async fn compromised_keys_are_refused_at_once_also_one_that_waits() {
    let world = World::new().await;
    let old = kid_of(&world.token);
    let waiting = world.rotate(false).await.kid;
    assert_eq!(world.verdicts(&world.token).await, [Ok(()), Ok(())]);
    let new = world.rotate(true).await;
    assert_eq!(new.state(), State::Active);
    let invalid = Err(ErrorReason::TokenInvalid);
    assert_eq!(world.verdicts(&world.token).await, [invalid, invalid]);
    assert_eq!(published(&world.auth).await, std::slice::from_ref(&new.kid));

    let token = token(&world.auth).await;
    assert_eq!(kid_of(&token), new.kid);
    assert_eq!(world.verdicts(&token).await, [Ok(()), Ok(())]);
    let keys = list(&world.auth, &token).await;
    assert_eq!(keys[0], (new.kid, State::Active));
    for kid in [old, waiting] {
        assert!(keys.contains(&(kid, State::Retired)), "{keys:?}");
    }
    let said: Vec<_> = rotations(&world.pool).await.into_iter().map(|event| event.2).collect();
    assert_eq!(said, ["false", "true"]);
}

#[tokio::test]
async fn replicas_that_rotate_at_once_make_one_key() {
    let world = World::new().await;
    let other = Auth::start(world.database.config()).await;
    let each = (0..6).map(|n| rotate(if n % 2 == 0 { &world.auth } else { &other }, &world.token, false));
    let keys: Vec<_> = join_all(each).await.into_iter().map(Result::unwrap).collect();
    assert!(keys.iter().all(|key| key == &keys[0]), "{keys:?}");
    assert_eq!(world.keys().await.len(), 2);
    assert_eq!(rotations(&world.pool).await.len(), 1);
    // What one of them has made, the other tells of, too.
    while published(&other).await != published(&world.auth).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_key_that_has_signed_for_its_days_is_followed_by_one_that_the_service_makes() {
    let database = Database::new().await;
    let config = Config { key_rotation_days: 7, ..database.config() };
    let (auth, other) = (Auth::start(config.clone()).await, Auth::start(config).await);
    let (token, pool) = (token(&auth).await, database.pool().await);
    other.jwks().await;
    let world = World { auth, token, database, pool };
    world.pass("167 hours").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.keys().await.len(), 1, "not yet");
    world.pass("1 hour").await;
    while world.keys().await.len() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let states: Vec<_> = world.keys().await.into_iter().map(|key| key.1).collect();
    assert_eq!(states, [State::Published, State::Active], "two replicas, one key");
    let events = rotations(&world.pool).await;
    assert_eq!((events.len(), events[0].0.as_str()), (1, "system"));
}

#[tokio::test]
async fn only_who_may_rotates_and_sees_the_keys() {
    let world = World::new().await;
    let customer = world.auth.account("ada@example.org").await.tokens.unwrap().access_token;
    let before = world.keys().await;
    for compromised in [false, true] {
        let refused = rotate(&world.auth, &customer, compromised).await;
        assert_eq!(refused.as_ref().unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(reason(refused), ErrorReason::PermissionMissing);
    }
    let list = tokens(&world.auth).list_signing_keys(with_token(&customer, pb::ListSigningKeysRequest {})).await;
    assert_eq!(reason(list), ErrorReason::PermissionMissing);
    let guest = tokens(&world.auth).rotate_signing_key(pb::RotateSigningKeyRequest { compromised: true }).await;
    assert_eq!(guest.as_ref().unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(reason(guest), ErrorReason::TokenMissing);
    assert_eq!(world.keys().await, before);
    assert_eq!(rotations(&world.pool).await, []);
}

/// Whoever writes into the database but has no key-encryption key can't make tokens.
#[tokio::test]
async fn a_key_that_somebody_else_put_into_the_table_neither_signs_nor_verifies() {
    let world = World::new().await;
    let user = world.auth.get_user(&world.token, "users/me").await.unwrap().name;
    let theirs = foreign();
    let sql = "INSERT INTO signing_keys (kid, public, sealed_private) SELECT $1, $2, sealed_private FROM signing_keys";
    sqlx::query(sql).bind(&theirs.kid).bind(&theirs.public).execute(&world.pool).await.unwrap();
    // Long enough that it has been read.
    tokio::time::sleep(Duration::from_millis(600)).await;

    assert_eq!(published(&world.auth).await, [kid_of(&world.token)]);
    assert_eq!(kid_of(&token(&world.auth).await), kid_of(&world.token));
    let invalid = Err(ErrorReason::TokenInvalid);
    assert_eq!(world.verdicts(&theirs.sign(&theirs.header(), &claims(&user))).await, [invalid, invalid]);
    assert_eq!(world.keys().await.len(), 1);
    assert_ne!(world.rotate(false).await.kid, theirs.kid);
}

#[tokio::test]
async fn private_parts_that_changed_their_rows_stop_the_start() {
    let world = World::new().await;
    world.rotate(false).await;
    let (auth, pool) = (world.auth, world.pool);
    auth.stop().await;
    let sql = "UPDATE signing_keys AS one SET sealed_private = other.sealed_private \
               FROM signing_keys AS other WHERE one.kid <> other.kid";
    assert_eq!(sqlx::query(sql).execute(&pool).await.unwrap().rows_affected(), 2);
    let error = Auth::refused(world.database.config()).await;
    assert!(error.contains("KONTOR_AUTH_KEK"), "{error}");
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM signing_keys").fetch_one(&pool).await.unwrap();
    assert_eq!(keys, 2, "no other key was made");
}

#[tokio::test]
async fn the_issuers_metadata_names_the_keys_and_every_claim() {
    let world = World::new().await;
    let answer = tokens(&world.auth).get_open_id_configuration(pb::GetOpenIdConfigurationRequest {}).await;
    let found = answer.unwrap().into_inner();
    assert_eq!(found.issuer, ISSUER);
    assert_eq!(found.jwks_uri, format!("{ISSUER}/.well-known/jwks.json"));
    assert_eq!(found.token_endpoint, format!("{ISSUER}/v1/auth:refreshTokens"));
    assert!(found.scopes_supported.contains(&"key.rotate".to_owned()));
    let payload = jsonwebtoken::dangerous::insecure_decode::<serde_json::Map<String, serde_json::Value>>(&world.token);
    for claim in payload.unwrap().claims.keys() {
        assert!(found.claims_supported.contains(claim), "{claim}");
    }
}
