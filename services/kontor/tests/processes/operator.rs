//! The operator's commands: `migrate`, `admin-password`, `make-env`, `import --sample`.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;

use kontor_postgres::testing::{self, TestDatabase};
use secrecy::ExposeSecret;
use sqlx::{Connection, PgConnection};
use tempfile::NamedTempFile;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, kontor, up};
use crate::shop::KETTLE;

/// Its exit code, and what it wrote to standard output and standard error.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Roles are the server's, which other tests use at the same time: so all of them must have the same passwords.
fn migrate(database: &TestDatabase, args: &[&str]) -> Command {
    let mut command = kontor();
    command.arg("migrate").args(args).env("KONTOR_DATABASE_URL", database.admin_url());
    for service in ["AUTH", "CATALOG", "ORDER"] {
        let password = testing::role("kontor_auth", "auth").password;
        command.env(format!("KONTOR_{service}_DATABASE_PASSWORD"), password.expose_secret());
    }
    command
}

#[tokio::test]
async fn migrate_makes_all_schemas_and_can_be_run_again() {
    let database = testing::server().await.unwrap().database(&[]).await.unwrap();
    let (code, _, complained) = run(&mut migrate(&database, &["--check"]));
    assert_eq!(code, Some(1), "{complained}");
    for _ in 0..2 {
        let (code, said, complained) = run(&mut migrate(&database, &[]));
        assert_eq!(code, Some(0), "{complained}");
        for service in ["auth", "catalog", "order"] {
            assert!(said.contains(&format!("{service:8} the schema is current")), "{said}");
        }
    }
    assert_eq!(run(&mut migrate(&database, &["--check"])).0, Some(0));
}

#[tokio::test]
async fn the_launcher_leaves_the_roles_of_another_kontor_as_they_are() {
    let roles = [("kontor_auth", "auth"), ("kontor_catalog", "catalog"), ("kontor_order", "order")];
    let roles = roles.map(|(name, schema)| testing::role(name, schema));
    let database = testing::server().await.unwrap().database(&roles).await.unwrap();
    let (code, _, complained) = run(up(&DataDir::new()).env("KONTOR_DATABASE_URL", database.admin_url()));
    assert!(code == Some(1) && complained.contains("another Kontor uses it"), "{complained}");
    PgConnection::connect(&database.url(&roles[0])).await.unwrap();
}

#[tokio::test]
async fn the_password_is_told_by_the_first_start_that_comes_so_far() {
    let dir = DataDir::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, _, complained) = run(up(&dir).env("KONTOR_EDGE_ADDR", taken.local_addr().unwrap().to_string()));
    assert!(code == Some(1) && complained.contains("can't listen"), "{complained}");
    let launcher = Launcher::start(&mut up(&dir)).await;
    let (_, said, _) = run(kontor().arg("admin-password").env("KONTOR_DATA_DIR", dir.path()));
    assert_eq!(launcher.password(), said.trim_end());
}

#[test]
fn an_answer_that_is_written_half_is_an_error() {
    for arguments in [&["make-env"][..], &["--print-config"], &["admin-password", "--admin-password=a long enough one"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = kontor().args(arguments).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{arguments:?}");
        assert!(!String::from_utf8_lossy(&ended.stderr).contains("panicked"), "{arguments:?}");
    }
}

#[test]
fn migrate_tells_all_settings_that_are_missing() {
    let (code, _, complained) = run(kontor().arg("migrate"));
    assert_eq!(code, Some(2));
    for name in ["KONTOR_DATABASE_URL", "KONTOR_AUTH_DATABASE_PASSWORD", "KONTOR_ORDER_DATABASE_PASSWORD"] {
        assert!(complained.contains(name), "no {name} in:\n{complained}");
    }
}

#[test]
fn the_password_of_the_administrator_is_told_by_its_variable_or_its_file() {
    let (code, said, _) = run(kontor().arg("admin-password").env("KONTOR_ADMIN_PASSWORD", "a long enough password"));
    assert_eq!((code, said.as_str()), (Some(0), "a long enough password\n"));
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "another long password\n").unwrap();
    let (code, said, _) = run(kontor().arg("admin-password").env("KONTOR_ADMIN_PASSWORD_FILE", file.path()));
    assert_eq!((code, said.as_str()), (Some(0), "another long password\n"));
    let nothing = tempfile::tempdir().unwrap();
    let (code, _, complained) = run(kontor().arg("admin-password").env("KONTOR_DATA_DIR", nothing.path()));
    assert!(code == Some(1) && complained.contains("--data-dir"), "{complained}");
}

#[tokio::test]
async fn a_running_kontor_tells_its_password_and_its_readiness_and_loads_the_sample() {
    let dir = DataDir::new();
    let monitoring = kontor_testkit::free_addr();
    let mut command = up(&dir);
    command.env("KONTOR_METRICS_ADDR", monitoring.to_string()).env("KONTOR_SAMPLE", "none");
    let mut launcher = Launcher::start(&mut command).await;
    let (code, said, _) = run(kontor().arg("admin-password").env("KONTOR_DATA_DIR", dir.path()));
    assert_eq!((code, said.trim_end()), (Some(0), launcher.password().as_str()));
    let ready = reqwest::get(format!("http://{monitoring}/readyz")).await.unwrap();
    assert_eq!(ready.status(), 200);
    for _ in 0..2 {
        let mut import = kontor();
        import.args(["import", "--sample"]).env("KONTOR_DATA_DIR", dir.path());
        // By name, as in containers: `kontor up`, which would listen there, takes no names.
        let by_name = |service| launcher.shown(service).replace("127.0.0.1", "localhost");
        import.env("KONTOR_AUTH_ADDR", by_name("auth")).env("KONTOR_CATALOG_ADDR", by_name("catalog"));
        let (code, _, complained) = run(&mut import);
        assert_eq!(code, Some(0), "{complained}");
    }
    launcher.shop().buy(KETTLE).await;
    assert_eq!(launcher.stop("INT").await.code(), Some(0));
}

#[test]
fn each_environment_has_secrets_of_its_own() {
    let variables = || -> BTreeMap<String, String> {
        let (code, said, _) = run(kontor().arg("make-env"));
        assert_eq!(code, Some(0));
        let lines = said.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let (one, other) = (variables(), variables());
    assert!(one.len() >= 9, "{:?}", one.keys());
    let example = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.env.example")).unwrap();
    for (name, value) in &one {
        assert!(name == "KONTOR_ADMIN_EMAIL" || other[name] != *value, "{name}");
        // Neither Compose nor a shell takes these for more than they are.
        assert!(!value.is_empty() && !value.contains(['$', '"', '\'', ' ', '#']), "{name}");
        assert!(example.contains(&format!("{name}=")), "{name} is not in .env.example");
    }
}
