//! Restarts, and several services on one database.

use std::time::Duration;

use futures_util::future::join_all;
use kontor_auth::{Config, ServiceKey};
use kontor_runtime::Verifier;
use sqlx::PgPool;

use crate::world::{ADMIN, Auth, Database, ISSUER, PASSWORD, code_in};

#[tokio::test]
async fn a_restart_keeps_the_key_the_sessions_and_the_administrators_password() {
    let database = Database::new().await;
    let auth = Auth::start(database.config()).await;
    let tokens = auth.sign_in(ADMIN, PASSWORD).await.unwrap();
    let keys = auth.jwks().await;
    auth.stop().await;

    let other = Config { admin_password: Some("another horse battery".into()), ..database.config() };
    let auth = Auth::start(other).await;
    assert_eq!(auth.jwks().await, keys);
    auth.get_user(&tokens.access_token, "users/me").await.unwrap();
    auth.refresh(&tokens.refresh_token).await.unwrap();
    auth.sign_in(ADMIN, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn another_key_encryption_key_stops_the_start() {
    let database = Database::new().await;
    let auth = Auth::start(database.config()).await;
    auth.jwks().await;
    auth.stop().await;
    let other = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    let error = Auth::refused(Config { key_encryption_key: other.into(), ..database.config() }).await;
    assert!(error.contains("KONTOR_AUTH_KEK"), "{error}");
    let error = Auth::refused(Config { key_encryption_key: "hunter2".into(), ..database.config() }).await;
    assert!(error.contains("KONTOR_AUTH_KEK") && !error.contains("hunter2"), "{error}");
}

/// The database with all tables and nothing in them.
async fn empty_tables() -> Database {
    let database = Database::new().await;
    let auth = Auth::start(database.config()).await;
    auth.jwks().await;
    auth.stop().await;
    let pool = database.pool().await;
    for table in ["DELETE FROM signing_keys", "DELETE FROM users", "DELETE FROM bindings"] {
        sqlx::query(table).execute(&pool).await.unwrap();
    }
    database
}

/// Returns once so many connections to the database wait for a lock.
pub(crate) async fn waiting_for_locks(pool: &PgPool, connections: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(pool).await.unwrap() < connections {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn services_that_start_at_once_agree_on_one_key_and_one_administrator() {
    let database = empty_tables().await;
    let pool = database.pool().await;
    // Keys can be read but not written until all of them are on their way.
    let mut held = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE signing_keys IN EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let config = Config { service_keys: vec![ServiceKey::generate("order")], ..database.config() };
    let replicas = join_all((0..4).map(|_| Auth::start(config.clone()))).await;
    waiting_for_locks(&pool, 4).await;
    held.rollback().await.unwrap();

    let keys = join_all(replicas.iter().map(Auth::jwks)).await;
    assert_eq!(keys[0].keys.len(), 1);
    assert!(keys.iter().all(|one| *one == keys[0]));
    let administrators = "SELECT count(*) FROM bindings WHERE role = 'administrator'";
    let administrators = sqlx::query_scalar::<_, i64>(administrators).fetch_one(&pool).await;
    assert_eq!(administrators.unwrap(), 1);
}

#[tokio::test]
async fn what_one_service_begins_the_other_can_end() {
    let database = Database::new().await;
    let one = Auth::start(database.config()).await;
    let other = Auth::start(database.config()).await;
    let keys = one.jwks().await;
    assert_eq!(keys, other.jwks().await);

    let sign_up = one.sign_up("ada@example.org").await.unwrap().sign_up;
    let mail = tokio::select! {
        mail = one.mail_to("ada@example.org") => mail,
        mail = other.mail_to("ada@example.org") => mail,
    };
    let tokens = other.verify(&sign_up, &code_in(&mail).unwrap()).await.unwrap().tokens.unwrap();
    one.get_user(&tokens.access_token, "users/me").await.unwrap();
    one.refresh(&tokens.refresh_token).await.unwrap();
    let verifier = Verifier::remote(ISSUER, one.channel.clone());
    verifier.verify(&tokens.access_token).await.unwrap();
}

#[tokio::test]
async fn what_ended_a_day_ago_is_forgotten_and_nothing_else() {
    let database = Database::new().await;
    let auth = Auth::start(database.config()).await;
    let old = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    auth.sign_up("old@example.org").await.unwrap();
    let pool = database.pool().await;
    sqlx::query("UPDATE sign_ups SET expire_time = now() - interval '2 days'").execute(&pool).await.unwrap();
    sqlx::query("UPDATE sessions SET expire_time = now() - interval '2 days'").execute(&pool).await.unwrap();
    let new = auth.sign_in(ADMIN, PASSWORD).await.unwrap().refresh_token;
    auth.sign_up("new@example.org").await.unwrap();
    auth.stop().await;

    let auth = Auth::start(database.config()).await;
    let left = "SELECT (SELECT count(*) FROM sign_ups), (SELECT count(*) FROM sessions)";
    while sqlx::query_as::<_, (i64, i64)>(left).fetch_one(&pool).await.unwrap() != (1, 1) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    auth.refresh(&old).await.unwrap_err();
    auth.refresh(&new).await.unwrap();
}
