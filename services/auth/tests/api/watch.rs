//! Whoever listens learns which tokens are to be refused, and when it knows too little.

use std::sync::Arc;
use std::time::Duration;

use kontor_auth::{Config, ServiceKey};
use kontor_proto::kontor::auth::v1 as pb;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_runtime::fault::ErrorReason;
use kontor_runtime::{Identity, Verifier};
use kontor_types::ids::new_uuid;
use secrecy::SecretString;
use sqlx::{PgExecutor, PgPool};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status, Streaming};

use crate::world::{ADMIN, Auth, Database, ISSUER, PASSWORD, reason};

type Stream = Streaming<pb::WatchRevocationsResponse>;

struct World {
    auth: Auth,
    key: SecretString,
    database: Database,
    pool: PgPool,
}

impl World {
    async fn new() -> Self {
        let (database, key) = (Database::new().await, ServiceKey::generate("order"));
        let auth = Auth::start(Config { service_keys: vec![key.clone()], ..database.config() }).await;
        auth.jwks().await;
        let pool = database.pool().await;
        Self { auth, key, database, pool }
    }

    async fn listen(&self) -> Stream {
        listen(&self.auth, &self.key).await
    }
}

async fn listen(auth: &Auth, key: &SecretString) -> Stream {
    let header = Identity::new(key.clone(), auth.channel.clone()).authorization().await.unwrap();
    watch(auth, header.to_str().unwrap()).await.unwrap()
}

async fn watch(auth: &Auth, authorization: &str) -> Result<Stream, Status> {
    let mut request = Request::new(pb::WatchRevocationsRequest {});
    request.metadata_mut().insert("authorization", authorization.parse().unwrap());
    Ok(TokenServiceClient::new(auth.channel.clone()).watch_revocations(request).await?.into_inner())
}

/// Notes a session as revoked some seconds ago, as a replica does.
async fn revoke(on: impl PgExecutor<'_>, seconds_ago: i32, expires_in: i32) -> String {
    let sql = "INSERT INTO revocations (sid, revoke_time, expire_time) VALUES ($1, \
               clock_timestamp() - $2 * interval '1 second', clock_timestamp() + $3 * interval '1 second')";
    let sid = new_uuid();
    sqlx::query(sql).bind(sid).bind(seconds_ago).bind(expires_in).execute(on).await.unwrap();
    sid.to_string()
}

async fn hear(stream: &mut Stream) -> pb::WatchRevocationsResponse {
    stream.message().await.unwrap().unwrap()
}

/// What is heard until so many revocations have come.
async fn revoked(stream: &mut Stream, count: usize) -> Vec<String> {
    let mut sids = Vec::new();
    while sids.len() < count {
        sids.extend(hear(stream).await.revocations.into_iter().map(|revocation| revocation.sid));
    }
    sids
}

/// Hears nothing for this long, once what is under way has come.
async fn falls_silent(stream: &mut Stream, time: Duration) {
    while tokio::time::timeout(time, stream.message()).await.is_ok_and(|message| message.unwrap().is_some()) {}
}

#[tokio::test]
async fn the_first_message_holds_all_that_counts_and_later_ones_what_is_new() {
    let world = World::new().await;
    let (old, _expired) = (revoke(&world.pool, 200, 160).await, revoke(&world.pool, 400, -40).await);
    let new = revoke(&world.pool, 0, 360).await;
    let other = Auth::start(world.database.config()).await;
    let mut stream = listen(&other, &world.key).await;
    let first = hear(&mut stream).await;
    assert_eq!(first.kids, [world.auth.jwks().await.keys[0].kid.clone()]);
    let sids: Vec<_> = first.revocations.into_iter().map(|revocation| revocation.sid).collect();
    assert_eq!(sids, [old, new]);

    let next = revoke(&world.pool, 0, 360).await;
    assert_eq!(revoked(&mut stream, 1).await, [next]);
}

#[tokio::test]
async fn what_was_committed_late_is_heard_all_the_same_and_once() {
    let world = World::new().await;
    let mut stream = world.listen().await;
    hear(&mut stream).await;
    let mut late = world.pool.begin().await.unwrap();
    let one = revoke(&mut *late, 0, 360).await;
    let other = revoke(&world.pool, 0, 360).await;
    assert_eq!(revoked(&mut stream, 1).await, [other]);
    hear(&mut stream).await;
    late.commit().await.unwrap();
    assert_eq!(revoked(&mut stream, 1).await, [one]);
    for _ in 0..3 {
        assert_eq!(hear(&mut stream).await.revocations, [], "a sign of life");
    }
}

#[tokio::test]
async fn a_reader_that_lags_misses_nothing() {
    let world = World::new().await;
    let mut stream = world.listen().await;
    hear(&mut stream).await;
    let sql = "INSERT INTO revocations (sid, expire_time) \
               SELECT gen_random_uuid(), now() + interval '6 minutes' FROM generate_series(1, 1000)";
    for _ in 0..5 {
        sqlx::query(sql).execute(&world.pool).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let mut sids = revoked(&mut stream, 5000).await;
    sids.sort();
    sids.dedup();
    assert_eq!(sids.len(), 5000);
}

#[tokio::test]
async fn while_the_database_does_not_answer_nothing_is_said() {
    let world = World::new().await;
    let mut stream = world.listen().await;
    hear(&mut stream).await;
    let mut held = world.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    falls_silent(&mut stream, Duration::from_secs(3)).await;
    let mut late = world.listen().await;
    falls_silent(&mut late, Duration::from_secs(1)).await;
    let sid = revoke(&mut *held, 0, 360).await;
    held.commit().await.unwrap();
    assert_eq!(revoked(&mut stream, 1).await, std::slice::from_ref(&sid));
    assert_eq!(revoked(&mut late, 1).await, [sid]);
}

async fn rotate(auth: &Auth, compromised: bool) -> String {
    let token = auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    let mut request = Request::new(pb::RotateSigningKeyRequest { compromised });
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let answer = TokenServiceClient::new(auth.channel.clone()).rotate_signing_key(request).await;
    answer.unwrap().into_inner().kid
}

#[tokio::test]
async fn the_ids_of_the_keys_follow_a_rotation() {
    let world = World::new().await;
    let mut stream = world.listen().await;
    let before = hear(&mut stream).await.kids;
    let next = rotate(&world.auth, false).await;
    let mut kids = before.clone();
    while kids == before {
        kids = hear(&mut stream).await.kids;
    }
    assert_eq!(kids, [next, before[0].clone()]);

    // The listener's own token is worth nothing any more.
    let new = rotate(&world.auth, true).await;
    let ended = loop {
        if let Err(ended) = stream.message().await {
            break ended;
        }
    };
    assert_eq!(reason::<()>(Err(ended)), ErrorReason::TokenInvalid);
    assert_eq!(hear(&mut world.listen().await).await.kids, [new]);
}

/// What it had verified before is not taken from memory.
#[tokio::test]
async fn a_service_refuses_what_a_retired_key_has_signed_and_takes_what_the_next_one_signs() {
    let world = World::new().await;
    let verifier = Arc::new(Verifier::remote(ISSUER, world.auth.channel.clone()));
    let identity = Arc::new(Identity::new(world.key.clone(), world.auth.channel.clone()));
    let (listener, stop) = (Arc::clone(&verifier), CancellationToken::new());
    let stopped = stop.clone();
    let listening = tokio::spawn(async move { listener.listen(identity, &stopped).await });
    let token = async || world.auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    let old = token().await;
    verifier.verify(&old).await.unwrap();
    verifier.fresh().await.unwrap();

    rotate(&world.auth, true).await;
    let refused = loop {
        match verifier.verify(&old).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(refused) => break refused,
        }
    };
    assert_eq!(reason::<()>(Err(refused)), ErrorReason::TokenInvalid);
    // Keys are fetched twice a second at most, so this may take a moment.
    let new = token().await;
    while verifier.verify(&new).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    verifier.fresh().await.unwrap();
    stop.cancel();
    listening.await.unwrap();
}

#[tokio::test]
async fn streams_end_when_the_service_stops() {
    let World { auth, key, .. } = World::new().await;
    let mut stream = listen(&auth, &key).await;
    hear(&mut stream).await;
    auth.stop().await;
    while let Ok(Some(_)) = stream.message().await {}
}

#[tokio::test]
async fn only_services_listen() {
    let world = World::new().await;
    let token = world.auth.sign_in(ADMIN, PASSWORD).await.unwrap().access_token;
    let refused = watch(&world.auth, &format!("Bearer {token}")).await;
    assert_eq!(refused.as_ref().unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(reason(refused), ErrorReason::InternalMethod);
}

#[tokio::test]
async fn many_revocations_come_in_portions_that_anybody_can_take() {
    let world = World::new().await;
    let many = "INSERT INTO revocations (sid, expire_time) \
                SELECT gen_random_uuid(), now() + interval '6 minutes' FROM generate_series(1, 100000)";
    sqlx::query(many).execute(&world.pool).await.unwrap();
    // All of them would be more than the four megabytes that clients take.
    let mut stream = world.listen().await;
    assert_eq!(revoked(&mut stream, 100_000).await.len(), 100_000);
}
