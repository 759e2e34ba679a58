//! `/readyz` says whether a purchase could be made, and who is in the way.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::apart::{Apart, MUG};

/// Probes are made every second, and may take one.
const NOTICED: Duration = Duration::from_secs(10);

fn names(body: &Value) -> Vec<&str> {
    body["services"].as_array().unwrap().iter().map(|service| service["service"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn without_the_provider_order_is_not_ready_until_it_is_back() {
    let mut apart = Apart::start(Vec::new()).await;
    apart.import().await;
    apart.program("sandbox-psp").signal("TERM");
    assert_eq!(apart.program("sandbox-psp").ends(Duration::from_secs(20)).await.code(), Some(0));
    let body = apart.readiness_becomes(503, NOTICED).await;
    assert_eq!(body["services"], json!([{"service": "order", "reason": "does not serve"}]));
    // What does not need it still works.
    apart.shop().fill_cart(MUG).await;
    apart.start_one("sandbox-psp");
    apart.readiness_becomes(200, NOTICED).await;
    apart.shop().buy(MUG).await;
}

#[tokio::test]
async fn without_the_database_nobody_is_ready_until_it_is_back() {
    let mut apart = Apart::start(Vec::new()).await;
    apart.import().await;
    let mut admin = Admin::of(&apart).await;
    admin.close_database().await;
    let mut body = apart.readiness_becomes(503, NOTICED).await;
    while names(&body) != ["auth", "catalog", "order"] {
        body = apart.readiness_becomes(503, NOTICED).await;
    }
    admin.open_database().await;
    apart.readiness_becomes(200, NOTICED).await;
    apart.shop().buy(MUG).await;
}

pub(crate) struct Admin {
    conn: PgConnection,
    database: String,
}

impl Admin {
    pub(crate) async fn of(apart: &Apart) -> Self {
        let url = apart.database.admin_url();
        let server = kontor_postgres::testing::server().await.unwrap();
        let mut conn = PgConnection::connect(&url).await.unwrap();
        let database = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut conn).await.unwrap();
        conn.close().await.unwrap();
        Self { conn: PgConnection::connect(&server.admin_url()).await.unwrap(), database }
    }

    pub(crate) async fn close_database(&mut self) {
        self.allow_connections(false).await;
        let cut = sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1");
        cut.bind(&self.database).execute(&mut self.conn).await.unwrap();
    }

    pub(crate) async fn open_database(&mut self) {
        self.allow_connections(true).await;
    }

    async fn allow_connections(&mut self, allow: bool) {
        let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allow}", self.database);
        self.conn.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}
