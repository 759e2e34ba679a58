//! How a service starts on a database that is not ready for it, and when it refuses to.

use std::net::TcpListener;
use std::time::Duration;

use kontor_proto::kontor::catalog::v1::ListProductsRequest;
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_runtime::peer;
use kontor_testkit::Program;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::apart::{Apart, MUG};
use crate::readiness::Admin;
use crate::shop::good;

const LIMIT: Duration = Duration::from_secs(90);

/// Waits until the service's own `/readyz` answers so, with this in the cause.
async fn readiness_becomes(apart: &Apart, name: &str, status: u16, cause: &str) {
    let (url, began) = (apart.monitoring(name, "/readyz"), Instant::now());
    let mut found = String::new();
    while began.elapsed() < LIMIT {
        if let Ok(answer) = reqwest::get(&url).await {
            let is_status = answer.status() == status;
            found = answer.text().await.unwrap();
            if is_status && found.contains(cause) {
                return;
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("/readyz of {name} is {found}, not {status} with {cause:?}");
}

async fn list_products(apart: &Apart) -> Result<(), tonic::Status> {
    let catalog = peer::channel(&apart.addr("catalog").to_string()).unwrap();
    ProductServiceClient::new(catalog).list_products(ListProductsRequest::default()).await.map(drop)
}

#[tokio::test]
async fn a_service_waits_for_its_schema_and_says_so() {
    let mut apart = Apart::new(Vec::new()).await;
    apart.start_one("catalog");
    readiness_becomes(&apart, "catalog", 503, "the schema is at version 0, and this program needs version").await;
    let refused = list_products(&apart).await.unwrap_err();
    assert_eq!((refused.code(), reason_of(&refused)), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
    let (healthy, _, complained) = apart.run("catalog", &["health"]);
    assert!(healthy == Some(1) && complained.contains("catalog: the schema is at version 0"), "{complained}");
    let (current, _, complained) = apart.run("catalog", &["migrate", "--check"]);
    assert!(current == Some(1) && complained.contains("run its command `migrate`"), "{complained}");

    assert_eq!(apart.run("catalog", &["migrate"]).0, Some(0));
    readiness_becomes(&apart, "catalog", 200, "ready").await;
    assert_eq!(apart.run("catalog", &["health"]).0, Some(0));
    assert_eq!(apart.run("catalog", &["migrate", "--check"]).0, Some(0));
    list_products(&apart).await.unwrap();
    assert!(apart.program("catalog").runs());
}

#[tokio::test]
async fn a_service_that_waits_finds_a_schema_that_is_made_only_now() {
    let mut apart = Apart::new(Vec::new()).await;
    let mut admin = PgConnection::connect(&apart.database.admin_url()).await.unwrap();
    admin.execute("DROP SCHEMA catalog").await.unwrap();
    let unset = "DO $$ BEGIN EXECUTE format('ALTER ROLE kontor_catalog IN DATABASE %I RESET search_path', \
                 current_database()); END $$";
    admin.execute(unset).await.unwrap();
    apart.start_one("catalog");
    readiness_becomes(&apart, "catalog", 503, "the schema is at version 0").await;
    let role = kontor_postgres::testing::role("kontor_catalog", "catalog");
    kontor_postgres::bootstrap(&apart.database.admin_url(), &[role]).await.unwrap();
    assert_eq!(apart.run("catalog", &["migrate"]).0, Some(0));
    readiness_becomes(&apart, "catalog", 200, "ready").await;
}

#[tokio::test]
async fn a_service_waits_for_a_database_that_is_away() {
    let mut apart = Apart::new(Vec::new()).await;
    assert_eq!(apart.run("auth", &["migrate"]).0, Some(0));
    let mut admin = Admin::of(&apart).await;
    admin.close_database().await;
    apart.start_one("auth");
    readiness_becomes(&apart, "auth", 503, "the database is not available").await;
    admin.open_database().await;
    readiness_becomes(&apart, "auth", 200, "ready").await;
    assert!(apart.program("auth").complained().contains("not ready"));
}

#[tokio::test]
async fn a_schema_that_becomes_older_is_told_and_a_newer_one_ends_a_start() {
    let mut apart = Apart::new(Vec::new()).await;
    assert_eq!(apart.run("catalog", &["migrate"]).0, Some(0));
    apart.start_one("catalog");
    readiness_becomes(&apart, "catalog", 200, "ready").await;
    let mut admin = PgConnection::connect(&apart.database.admin_url()).await.unwrap();
    let newest = "version = (SELECT max(version) FROM catalog._sqlx_migrations)";
    let add = "INSERT INTO catalog._sqlx_migrations \
               SELECT 999, description, now(), success, checksum, 0 FROM catalog._sqlx_migrations WHERE version = 1";
    admin.execute("CREATE TABLE kept AS SELECT * FROM catalog._sqlx_migrations").await.unwrap();
    admin.execute(sqlx::AssertSqlSafe(format!("DELETE FROM catalog._sqlx_migrations WHERE {newest}"))).await.unwrap();
    readiness_becomes(&apart, "catalog", 503, "this program needs version").await;
    let restore = "INSERT INTO catalog._sqlx_migrations SELECT * FROM kept ON CONFLICT DO NOTHING";
    admin.execute(restore).await.unwrap();
    readiness_becomes(&apart, "catalog", 200, "ready").await;

    // While it runs, a newer version may be rolled out.
    admin.execute(add).await.unwrap();
    let mut another = Program::start(
        apart.command("catalog").env("KONTOR_CATALOG_ADDR", "127.0.0.1:0").env_remove("KONTOR_METRICS_ADDR"),
    );
    let status = another.ends(LIMIT).await;
    let complained = another.complained();
    assert!(status.code() == Some(1) && complained.contains("the schema is at version 999"), "{complained}");
    assert!(complained.contains("run a newer program"), "{complained}");
    assert_eq!(apart.run("catalog", &["migrate"]).0, Some(1));
    readiness_becomes(&apart, "catalog", 200, "ready").await;
}

#[tokio::test]
async fn wrong_settings_and_a_port_in_use_end_a_start_with_a_sentence() {
    let wrong = [
        ("KONTOR_DATABASE_CONNECTIONS", "none"),
        ("KONTOR_HOLD_SECONDS", "0"),
        ("RUST_LOG", "info,kontor=loud"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
    ];
    let apart = Apart::new(wrong.map(|(name, value)| (name, value.to_owned())).to_vec()).await;
    let (code, _, complained) = apart.run("catalog", &["--auth-addr=nowhere"]);
    assert_eq!(code, Some(2), "{complained}");
    for name in [
        "--auth-addr (KONTOR_AUTH_ADDR)",
        "(KONTOR_DATABASE_CONNECTIONS) is \"none\"",
        "(KONTOR_HOLD_SECONDS) is \"0\"",
        "RUST_LOG is \"info,kontor=loud\"",
        "OTEL_TRACES_SAMPLER is \"sometimes\"",
    ] {
        assert!(complained.contains(name), "no {name} in:\n{complained}");
    }
    let apart = Apart::new(vec![("KONTOR_DATABASE_URL", String::new()), ("KONTOR_SERVICE_KEY", String::new())]).await;
    let (code, _, complained) = apart.run("catalog", &[]);
    assert_eq!(code, Some(2), "{complained}");
    assert!(complained.contains("--database-url") && complained.contains("--service-key"), "{complained}");
    let apart = Apart::new(Vec::new()).await;
    for setting in ["KONTOR_CATALOG_ADDR", "KONTOR_METRICS_ADDR"] {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap().to_string();
        let told = format!("can't listen on {addr}");
        let mut program = Program::start(apart.command("catalog").env(setting, &addr));
        assert_eq!(program.ends(LIMIT).await.code(), Some(1));
        assert!(program.complained().contains(&told), "{}", program.complained());
        // For a program that reads the log, too.
        let mut program = Program::start(apart.command("catalog").env(setting, &addr).env("KONTOR_LOG_FORMAT", "json"));
        assert_eq!(program.ends(LIMIT).await.code(), Some(1));
        let complained = program.complained();
        let line: Value = serde_json::from_str(complained.lines().last().unwrap()).unwrap();
        assert!(line["error"].as_str().unwrap().contains(&told), "{line}");
    }
}

#[tokio::test]
async fn a_key_that_auth_does_not_know_is_told_by_the_readiness() {
    let mut apart = Apart::start(Vec::new()).await;
    apart.program("order").signal("TERM");
    assert_eq!(apart.program("order").ends(LIMIT).await.code(), Some(0));
    let key = kontor_auth::ServiceKey::generate("order");
    let _program = Program::start(apart.command("order").env("KONTOR_SERVICE_KEY", key.expose_secret()));
    readiness_becomes(&apart, "order", 503, "check --service-key (KONTOR_SERVICE_KEY)").await;
}

#[tokio::test]
async fn a_schema_is_made_for_the_role_that_owns_it_only() {
    let apart = Apart::new(Vec::new()).await;
    let url = format!("--database-url={}", apart.database.admin_url());
    let mut command = apart.command("catalog");
    let output = command.env_remove("KONTOR_DATABASE_URL").args(["migrate", &url]).output().unwrap();
    let complained = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && complained.contains("run `kontor migrate`"), "{complained}");
}

#[tokio::test]
async fn a_full_disk_is_told_by_the_readiness_until_there_is_room_again() {
    let apart = Apart::start(Vec::new()).await;
    apart.import().await;
    let mut admin = PgConnection::connect(&apart.database.admin_url()).await.unwrap();
    // What a server answers whose disk is full, at the table that carts are written to, and at new tables.
    let fill = "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$; \
                GRANT USAGE ON SCHEMA public TO PUBLIC; \
                CREATE TRIGGER full_disk BEFORE INSERT ON \"order\".carts EXECUTE FUNCTION public.refuse(); \
                CREATE FUNCTION public.refuse_tables() RETURNS event_trigger LANGUAGE plpgsql AS \
                $$ BEGIN RAISE EXCEPTION 'could not create file: No space left on device' USING ERRCODE = '53100'; END $$; \
                CREATE EVENT TRIGGER full_disk ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS', 'CREATE TABLE') \
                EXECUTE FUNCTION public.refuse_tables()";
    sqlx::raw_sql(fill).execute(&mut admin).await.unwrap();
    let refused = reqwest::Client::new().post(format!("http://{}/v1/carts", apart.addr("edge"))).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    readiness_becomes(&apart, "order", 503, "the database does not write").await;
    readiness_becomes(&apart, "order", 503, "No space left on device").await;
    // The others have not tried to write.
    readiness_becomes(&apart, "catalog", 200, "ready").await;
    let empty = "DROP EVENT TRIGGER full_disk; DROP TRIGGER full_disk ON \"order\".carts";
    sqlx::raw_sql(empty).execute(&mut admin).await.unwrap();
    readiness_becomes(&apart, "order", 200, "ready").await;
    apart.shop().buy(MUG).await;
}

#[tokio::test]
async fn a_key_that_is_deleted_while_a_service_is_away_opens_nothing_when_it_starts() {
    let mut apart = Apart::start(Vec::new()).await;
    apart.import().await;
    let (shop, admin) = (apart.shop(), apart.admin().await);
    let as_admin = |method, path: &str| shop.request(method, path).bearer_auth(&admin);
    let post = |path: &str, body: Value| good(as_admin(Method::POST, path).json(&body));
    post("v1/serviceAccounts?serviceAccountId=desk", json!({})).await;
    post("v1/roleBindings", json!({"role": "roles/fulfilment", "member": "serviceAccounts/desk"})).await;
    let key = post("v1/serviceAccounts/desk/keys", json!({"scopes": ["inventory.adjust"]})).await;
    let token = post("v1/auth:issueServiceToken", json!({"key": key["secret"]})).await;
    let token = token["accessToken"].as_str().unwrap().to_owned();
    let variant = shop.fill_cart(MUG).await.variant;
    let adjust = || {
        let request = shop.request(Method::POST, &format!("v1/{variant}:adjustStock")).bearer_auth(&token);
        request.json(&json!({"delta": "1", "reason": "RECEIVED"})).send()
    };
    assert_eq!(adjust().await.unwrap().status(), 200);
    let before = shop.stock(&variant).await;

    apart.program("catalog").signal("TERM");
    assert_eq!(apart.program("catalog").ends(LIMIT).await.code(), Some(0));
    let path = format!("v1/{}", key["key"]["name"].as_str().unwrap());
    good(as_admin(Method::DELETE, &path)).await;
    apart.start_one("catalog");
    let began = Instant::now();
    loop {
        let answers = [adjust(), adjust(), adjust(), adjust()];
        let statuses = futures_util::future::join_all(answers).await;
        let statuses: Vec<_> = statuses.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
        assert!(statuses.iter().all(|status| [401, 503, 504].contains(status)), "{statuses:?}");
        if statuses.iter().all(|status| *status == 401) {
            break;
        }
        assert!(began.elapsed() < LIMIT, "{statuses:?}");
    }
    assert_eq!(shop.stock(&variant).await, before);
}

#[tokio::test]
async fn mails_of_a_try_out_are_shown_at_the_edge() {
    let apart = Apart::start(Vec::new()).await;
    let sign_up = serde_json::json!({"email": "ada@example.org", "password": "seven green bicycles"});
    let edge = format!("http://{}", apart.addr("edge"));
    let client = reqwest::Client::new();
    let answer = client.post(format!("{edge}/v1/auth:signUp")).json(&sign_up).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let began = Instant::now();
    loop {
        let mails: serde_json::Value = reqwest::get(format!("{edge}/dev/mailbox")).await.unwrap().json().await.unwrap();
        if mails[0]["to"] == "ada@example.org" {
            return;
        }
        assert!(began.elapsed() < LIMIT, "{mails}");
        sleep(Duration::from_millis(50)).await;
    }
}
