//! What has ended is forgotten, a bounded number of rows at a time, and nothing else is.

use std::time::Duration;

use sqlx::PgPool;

use crate::world::{ADMIN, Auth, Database, PASSWORD};

/// The most rows that go in one statement.
const BATCH: i64 = 500;
/// Rows of each kind, more than go in one batch.
const MANY: i32 = 1201;

/// For each kind: many rows that have ended, and one that nearly has. `$1` is how many, the ages are `$2`.
const KINDS: [(&str, &str, &str, &str); 11] = [
    (
        "sign_ups",
        "INSERT INTO sign_ups (id, email, display_name, password_hash, code_hash, expire_time) \
         SELECT gen_random_uuid(), n || '@example.org', 'Ada', '', '', now() - $2::interval FROM generate_series(1, $1) n",
        "25 hours",
        "23 hours",
    ),
    (
        "password_resets",
        "INSERT INTO password_resets (id, code_hash, expire_time) \
         SELECT gen_random_uuid(), '', now() - $2::interval FROM generate_series(1, $1)",
        "25 hours",
        "23 hours",
    ),
    (
        "challenges",
        "INSERT INTO challenges (token_hash, user_id, expire_time) SELECT convert_to($2 || n, 'UTF8'), users.id, \
         now() - $2::interval FROM users, generate_series(1, $1) n",
        "25 hours",
        "23 hours",
    ),
    (
        "sessions",
        "WITH made AS (INSERT INTO sessions (id, user_id, client, expire_time) SELECT gen_random_uuid(), users.id, \
         'kontor', now() - $2::interval FROM users, generate_series(1, $1) RETURNING id) \
         INSERT INTO refresh_tokens (token_hash, session_id, use_time) SELECT convert_to(id::text || n, 'UTF8'), id, \
         CASE WHEN n = 1 THEN NULL ELSE now() END FROM made, generate_series(1, 2) n",
        "25 hours",
        "23 hours",
    ),
    (
        "refresh_tokens",
        "INSERT INTO refresh_tokens (token_hash, session_id, use_time) SELECT convert_to($2 || n, 'UTF8'), \
         (SELECT id FROM sessions WHERE expire_time > now()), now() - $2::interval FROM generate_series(1, $1) n",
        "31 days",
        "29 days",
    ),
    (
        "throttles",
        "INSERT INTO throttles (key, free_time) SELECT convert_to($2 || n, 'UTF8'), now() - $2::interval \
         FROM generate_series(1, $1) n",
        "1 second",
        "-1 hour",
    ),
    (
        "mails",
        "INSERT INTO mails (id, recipient, subject, body, sent_time) SELECT gen_random_uuid(), '', '', '', \
         now() - $2::interval FROM generate_series(1, $1)",
        "25 hours",
        "23 hours",
    ),
    (
        "mails",
        "INSERT INTO mails (id, recipient, subject, body, failure, next_attempt_time) SELECT gen_random_uuid(), '', '', \
         '', 'nobody', now() - $2::interval FROM generate_series(1, $1)",
        "25 hours",
        "23 hours",
    ),
    (
        "revocations",
        "INSERT INTO revocations (sid, expire_time) SELECT gen_random_uuid(), now() - $2::interval \
         FROM generate_series(1, $1)",
        "1 second",
        "-1 hour",
    ),
    (
        "signing_keys",
        "INSERT INTO signing_keys (kid, public, sealed_private, retire_time) SELECT $2 || n, '', '', \
         now() - $2::interval FROM generate_series(1, $1) n",
        "25 hours",
        "23 hours",
    ),
    (
        "service_keys",
        "INSERT INTO service_keys (hash, account, expire_time) SELECT convert_to($2 || n, 'UTF8'), 'old', \
         now() - $2::interval FROM generate_series(1, $1) n",
        "31 days",
        "29 days",
    ),
];

/// Writes down how many rows each statement deletes.
const COUNT_BATCHES: &str = "CREATE TABLE batches (size bigint NOT NULL); \
    CREATE FUNCTION note_batch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    INSERT INTO batches SELECT count(*) FROM gone; RETURN NULL; END $$;";

/// How many rows of each table are there; what the service itself has made is among them.
async fn counts(pool: &PgPool) -> Vec<i64> {
    let mut counts = Vec::new();
    for (table, ..) in KINDS {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        counts.push(sqlx::query_scalar(sql).fetch_one(pool).await.unwrap());
    }
    counts
}

async fn insert(
    pool: &PgPool,
    rows: i32,
    age: impl Fn(&(&str, &'static str, &'static str, &'static str)) -> &'static str,
) {
    for kind in &KINDS {
        sqlx::query(kind.1).bind(rows).bind(age(kind)).execute(pool).await.unwrap();
    }
}

#[tokio::test]
async fn many_rows_of_each_kind_go_in_batches_and_live_ones_stay() {
    let database = Database::new().await;
    let auth = Auth::start(database.config()).await;
    let live = auth.sign_in(ADMIN, PASSWORD).await.unwrap();
    auth.stop().await;
    let pool = database.pool().await;
    // The attempts of this sign-in would end while the test waits.
    sqlx::query("DELETE FROM throttles").execute(&pool).await.unwrap();
    sqlx::query("INSERT INTO service_accounts (name) VALUES ('old')").execute(&pool).await.unwrap();
    sqlx::raw_sql(COUNT_BATCHES).execute(&pool).await.unwrap();
    for (table, ..) in KINDS {
        let sql = format!(
            "CREATE OR REPLACE TRIGGER note AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone \
             FOR EACH STATEMENT EXECUTE FUNCTION note_batch()"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    insert(&pool, 1, |kind| kind.3).await;
    let stay = counts(&pool).await;
    let events = "SELECT count(*) FROM audit_events";
    sqlx::query(
        "INSERT INTO audit_events (id, action, actor, resource, address, user_agent, details, create_time) \
         VALUES (gen_random_uuid(), 'old', '', '', '', '', '{}', now() - interval '10 years')",
    )
    .execute(&pool)
    .await
    .unwrap();
    let audited: i64 = sqlx::query_scalar(events).fetch_one(&pool).await.unwrap();
    insert(&pool, MANY, |kind| kind.2).await;

    let auth = Auth::start(database.config()).await;
    while counts(&pool).await != stay {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let largest = sqlx::query_scalar::<_, i64>("SELECT max(size) FROM batches").fetch_one(&pool).await.unwrap();
    assert_eq!(largest, BATCH);
    assert_eq!(sqlx::query_scalar::<_, i64>(events).fetch_one(&pool).await.unwrap(), audited, "never removed");
    auth.get_user(&live.access_token, "users/me").await.unwrap();
    auth.refresh(&live.refresh_token).await.unwrap();
}
