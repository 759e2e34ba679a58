//! The services as separate processes, as in production, on a database of the test's own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use kontor_auth::ServiceKey;
use kontor_postgres::testing::{self, TestDatabase};
use kontor_testkit::{Program, free_addr, program};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::shop::{ADMIN, Shop};

const PASSWORD: &str = "a long enough password";
const START_MAX: Duration = Duration::from_secs(90);

const CSV: &str = "Handle,Title,Published,Variant SKU,Variant Inventory Qty,Variant Price,Status\n\
                   mug,Mug,TRUE,MUG-1,10,12.50,active\n";
pub(crate) const MUG: &str = "products/mug";

/// Those with a gRPC side, by their names.
pub(crate) const GRPC: [&str; 4] = ["auth", "catalog", "order", "sandbox-psp"];

/// Those with a schema.
pub(crate) const SCHEMAS: [&str; 3] = ["auth", "catalog", "order"];

pub(crate) struct Apart {
    programs: BTreeMap<&'static str, Program>,
    addrs: BTreeMap<&'static str, SocketAddr>,
    monitoring: BTreeMap<&'static str, SocketAddr>,
    pub(crate) database: TestDatabase,
    catalog_key: String,
    order_key: String,
    folder: TempDir,
    env: Vec<(&'static str, String)>,
}

impl Apart {
    /// Starts them, with further settings, and waits until a purchase could be made.
    pub(crate) async fn start(env: Vec<(&'static str, String)>) -> Self {
        let mut apart = Self::new(env).await;
        for name in SCHEMAS {
            let (migrated, _, complained) = apart.run(name, &["migrate"]);
            assert_eq!(migrated, Some(0), "{complained}");
        }
        for name in GRPC.into_iter().chain(["edge"]) {
            apart.start_one(name);
        }
        apart.readiness_becomes(200, START_MAX).await;
        apart
    }

    /// Starts none yet, on a database without tables.
    pub(crate) async fn new(env: Vec<(&'static str, String)>) -> Self {
        let database = testing::server().await.unwrap().database(&SCHEMAS.map(role)).await.unwrap();
        let addrs = ["edge"].into_iter().chain(GRPC).map(|name| (name, free_addr())).collect();
        let [catalog_key, order_key] =
            ["catalog", "order"].map(|account| ServiceKey::generate(account).expose_secret().to_owned());
        let folder = tempfile::tempdir().unwrap();
        let monitoring = ["edge"].into_iter().chain(GRPC).map(|name| (name, free_addr())).collect();
        Self { programs: BTreeMap::new(), addrs, monitoring, database, catalog_key, order_key, folder, env }
    }

    /// Runs a program with the settings of a service to its end: its exit code, and what it wrote to standard output and standard error.
    pub(crate) fn run(&self, name: &'static str, args: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(name).args(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Where a service tells of itself in plain HTTP.
    pub(crate) fn monitoring(&self, name: &str, path: &str) -> String {
        format!("http://{}{path}", self.monitoring[name])
    }

    pub(crate) fn start_one(&mut self, name: &'static str) {
        let program = Program::start(&mut self.command(name));
        self.programs.insert(name, program);
    }

    /// A second process of a service, on the same database, at an address of its own.
    pub(crate) async fn start_another(&self, name: &'static str) -> (Program, SocketAddr) {
        let addr = free_addr();
        let mut command = self.command(name);
        let mut program =
            Program::start(command.env(addr_setting(name), addr.to_string()).env_remove("KONTOR_METRICS_ADDR"));
        let began = Instant::now();
        while tokio::net::TcpStream::connect(addr).await.is_err() {
            assert!(program.runs() && began.elapsed() < START_MAX, "{}", program.complained());
            sleep(Duration::from_millis(20)).await;
        }
        (program, addr)
    }

    /// One of them, to be stopped or killed.
    pub(crate) fn program(&mut self, name: &str) -> &mut Program {
        self.programs.get_mut(name).unwrap()
    }

    pub(crate) fn addr(&self, name: &str) -> SocketAddr {
        self.addrs[name]
    }

    pub(crate) fn shop(&self) -> Shop {
        Shop::at(format!("http://{}", self.addr("edge")))
    }

    /// An access token of the administrator.
    pub(crate) async fn admin(&self) -> String {
        self.shop().sign_in(ADMIN, PASSWORD).await.unwrap()
    }

    pub(crate) async fn import(&self) {
        let token = self.admin().await;
        let report = self.shop().import(&token, CSV).await;
        assert_eq!((&report["productsCreated"], &report["issueCount"]), (&1.into(), &0.into()), "{report}");
    }

    /// The file in which the provider keeps its decisions.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// Waits until the edge's `/readyz` answers so, and returns the body.
    pub(crate) async fn readiness_becomes(&mut self, status: u16, limit: Duration) -> serde_json::Value {
        let (shop, began) = (self.shop(), Instant::now());
        loop {
            let (found, body) = shop.readiness().await;
            if found == status {
                return body;
            }
            if began.elapsed() > limit {
                let logs: Vec<_> = self.programs.values().map(Program::complained).collect();
                panic!("/readyz is {found} {body}, not {status}:\n{}", logs.join("\n"));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn command(&self, name: &'static str) -> Command {
        let mut command = program::command(program::path_of(&format!("kontor-{name}")));
        for (name, addr) in &self.addrs {
            command.env(addr_setting(name), addr.to_string());
        }
        command.env("KONTOR_ISSUER", format!("http://{}", self.addr("edge")));
        command.env("KONTOR_METRICS_ADDR", self.monitoring[name].to_string());
        command.envs(self.settings_of(name)).envs(self.env.iter().cloned());
        command
    }

    fn settings_of(&self, name: &'static str) -> Vec<(&'static str, String)> {
        let database = || ("KONTOR_DATABASE_URL", self.database.url(&role(name)));
        match name {
            "auth" => vec![
                database(),
                ("KONTOR_AUTH_KEK", "a2V5IGVuY3J5cHRpb24ga2V5IG9mIDMyIGJ5dGVzISE=".into()),
                ("KONTOR_SERVICE_KEYS", format!("{},{}", self.catalog_key, self.order_key)),
                ("KONTOR_ADMIN_EMAIL", ADMIN.into()),
                ("KONTOR_ADMIN_PASSWORD", PASSWORD.into()),
                ("KONTOR_DEV_MAILBOX", "true".into()),
            ],
            "edge" => vec![("KONTOR_DEV_MAILBOX_ADDR", self.monitoring["auth"].to_string())],
            "catalog" => vec![database(), ("KONTOR_SERVICE_KEY", self.catalog_key.clone())],
            "order" => vec![database(), ("KONTOR_SERVICE_KEY", self.order_key.clone())],
            "sandbox-psp" => vec![("KONTOR_PSP_JOURNAL", self.journal().display().to_string())],
            _ => Vec::new(),
        }
    }
}

fn role(schema: &'static str) -> kontor_postgres::Role {
    let name = match schema {
        "auth" => "kontor_auth",
        "catalog" => "kontor_catalog",
        "order" => "kontor_order",
        other => panic!("{other} has no database"),
    };
    testing::role(name, schema)
}

fn addr_setting(name: &str) -> String {
    let name = if name == "sandbox-psp" { "psp" } else { name };
    format!("KONTOR_{}_ADDR", name.to_uppercase())
}
