//! The stack that all tests share: `kontor up` on free ports and on a database of its own.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, channel};

use kontor::cli::Up;
use kontor_auth::ServiceKey;
use kontor_postgres::testing;
use secrecy::ExposeSecret;
use serde_json::json;
use tokio_util::sync::CancellationToken;

pub(crate) const ADMIN_EMAIL: &str = "admin@kontor.test";
pub(crate) const ADMIN_PASSWORD: &str = "a passphrase of the operator";
/// What auth seals its signing keys under: 32 bytes of 1.
pub(crate) const KEY_ENCRYPTION: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

pub(crate) struct Stack {
    /// Its settings, with the addresses that were really taken.
    pub(crate) up: Up,
    pub(crate) data_dir: PathBuf,
    pub(crate) database_url: String,
}

/// The stack. Started for whoever asks first, and ended with the process.
pub(crate) fn stack() -> &'static Stack {
    static STACK: LazyLock<Stack> = LazyLock::new(start);
    &STACK
}

/// What the services log goes to standard error: faults, or what RUST_LOG asks for. The runtime has a thread of its own: the tests' runtimes end with their tests.
fn start() -> Stack {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let failed = tell.clone();
        let ended = runtime.block_on(serve(tell));
        let _ = failed.send(Err(format!("{ended:?}")));
        panic!("the stack ended: {ended:?}");
    });
    told.recv().unwrap().expect("the stack starts")
}

async fn serve(tell: Sender<Result<Stack, String>>) -> Result<(), kontor_runtime::Error> {
    let roles = [("kontor_auth", "auth"), ("kontor_catalog", "catalog"), ("kontor_order", "order")];
    let roles = roles.map(|(name, schema)| testing::role(name, schema));
    let database_url = testing::server().await?.database(&roles).await?.admin_url();
    let data_dir = data_dir(roles[0].password.expose_secret());
    let up = settings(&data_dir, &database_url);
    let ready = move |up: &Up| {
        let _ = tell.send(Ok(Stack { up: up.clone(), data_dir, database_url }));
    };
    kontor::up::run_and_tell(up, CancellationToken::new(), ready).await
}

/// With the secrets of an earlier start: database roles belong to the whole server, so all tests must agree on their passwords.
fn data_dir(role_password: &str) -> PathBuf {
    let tmp = env!("CARGO_TARGET_TMPDIR");
    let dir = tempfile::Builder::new().prefix("kontor-api-").tempdir_in(tmp).unwrap().keep();
    let secrets = json!({
        "auth_database": role_password,
        "catalog_database": role_password,
        "order_database": role_password,
        "key_encryption": KEY_ENCRYPTION,
        "order_service_key": ServiceKey::generate("order").expose_secret(),
        "admin_password": ADMIN_PASSWORD,
    });
    std::fs::write(dir.join("secrets.json"), secrets.to_string()).unwrap();
    dir
}

fn settings(data_dir: &Path, database_url: &str) -> Up {
    let any = ([127, 0, 0, 1], 0).into();
    Up {
        process: Default::default(),
        data_dir: Some(data_dir.into()),
        database_url: Some(database_url.to_owned().into()),
        edge_addr: any,
        auth_addr: any,
        catalog_addr: any,
        order_addr: any,
        hold_seconds: 3600,
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        key_rotation_days: 30,
        psp_addr: any,
        admin_email: ADMIN_EMAIL.into(),
        admin_password: None,
        smtp_url: None,
        mail_from: None,
        link_origin: None,
        sample: "default".into(),
    }
}
