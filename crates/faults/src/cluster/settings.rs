//! Which process has which address and settings.

use std::net::SocketAddr;

use kontor_testkit::free_addr;
use secrecy::ExposeSecret;

use super::Database;
use crate::folder::Folder;

/// The administrator of the run.
pub(crate) const ADMIN_EMAIL: &str = "admin@kontor.localhost";
pub(crate) const ADMIN_PASSWORD: &str = "a long enough password";

/// The lease of an order and the hold of units, in seconds: short, so that they run out often.
const LEASE_SECONDS: &str = "3";
const HOLD_SECONDS: &str = "6";

/// Fixed for the run, so that a process that is started again is found where it was.
pub(crate) struct Addresses {
    pub(crate) auth: SocketAddr,
    pub(crate) edge: SocketAddr,
    pub(crate) catalogs: [SocketAddr; 2],
    pub(crate) orders: [SocketAddr; 2],
    pub(crate) psp_itself: SocketAddr,
    pub(crate) catalog: SocketAddr,
    pub(crate) order: SocketAddr,
    pub(crate) psp: SocketAddr,
    pub(crate) catalog_database: SocketAddr,
    pub(crate) order_database: SocketAddr,
}

impl Addresses {
    pub(crate) fn free() -> Self {
        Self {
            auth: free_addr(),
            edge: free_addr(),
            catalogs: [free_addr(), free_addr()],
            orders: [free_addr(), free_addr()],
            psp_itself: free_addr(),
            catalog: free_addr(),
            order: free_addr(),
            psp: free_addr(),
            catalog_database: free_addr(),
            order_database: free_addr(),
        }
    }

    pub(crate) fn edge_url(&self) -> String {
        format!("http://{}", self.edge)
    }
}

#[derive(Clone)]
pub(super) struct Settings {
    pub(super) name: &'static str,
    pub(super) service: &'static str,
    pub(super) has_failpoints: bool,
    pub(super) env: Vec<(&'static str, String)>,
}

pub(super) fn all(addresses: &Addresses, database: &Database, folder: &Folder) -> Vec<Settings> {
    let [catalog_key, order_key] =
        ["catalog", "order"].map(|account| kontor_auth::ServiceKey::generate(account).expose_secret().to_owned());
    let kek = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, rand::random::<[u8; 32]>());
    let common = || {
        vec![
            ("RUST_LOG", "info".to_owned()),
            ("KONTOR_ISSUER", addresses.edge_url()),
            ("KONTOR_AUTH_ADDR", addresses.auth.to_string()),
            ("KONTOR_LEASE_SECONDS", LEASE_SECONDS.to_owned()),
            ("KONTOR_HOLD_SECONDS", HOLD_SECONDS.to_owned()),
        ]
    };
    let with = |more: &[(&'static str, &str)]| {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        common().into_iter().chain(more).collect::<Vec<_>>()
    };
    let (catalog_addr, order_addr, psp_addr) =
        (addresses.catalog.to_string(), addresses.order.to_string(), addresses.psp.to_string());
    let auth = with(&[
        ("KONTOR_DATABASE_URL", &database.auth_url),
        ("KONTOR_AUTH_KEK", &kek),
        ("KONTOR_SERVICE_KEYS", &format!("{catalog_key},{order_key}")),
        ("KONTOR_ADMIN_EMAIL", ADMIN_EMAIL),
        ("KONTOR_ADMIN_PASSWORD", ADMIN_PASSWORD),
    ]);
    let edge = with(&[
        ("KONTOR_EDGE_ADDR", &addresses.edge.to_string()),
        ("KONTOR_CATALOG_ADDR", &catalog_addr),
        ("KONTOR_ORDER_ADDR", &order_addr),
    ]);
    let psp = with(&[
        ("KONTOR_PSP_ADDR", &addresses.psp_itself.to_string()),
        ("KONTOR_PSP_JOURNAL", &folder.journal().display().to_string()),
    ]);
    let catalog = |addr: SocketAddr| {
        with(&[
            ("KONTOR_DATABASE_URL", &database.catalog_url),
            ("KONTOR_CATALOG_ADDR", &addr.to_string()),
            ("KONTOR_SERVICE_KEY", &catalog_key),
        ])
    };
    let order = |addr: SocketAddr| {
        with(&[
            ("KONTOR_DATABASE_URL", &database.order_url),
            ("KONTOR_ORDER_ADDR", &addr.to_string()),
            ("KONTOR_CATALOG_ADDR", &catalog_addr),
            ("KONTOR_PSP_ADDR", &psp_addr),
            ("KONTOR_SERVICE_KEY", &order_key),
        ])
    };
    let process = |name, service, has_failpoints, env| Settings { name, service, has_failpoints, env };
    vec![
        process("auth", "auth", false, auth),
        process("catalog-1", "catalog", true, catalog(addresses.catalogs[0])),
        process("catalog-2", "catalog", true, catalog(addresses.catalogs[1])),
        process("edge", "edge", false, edge),
        process("order-1", "order", true, order(addresses.orders[0])),
        process("order-2", "order", true, order(addresses.orders[1])),
        process("sandbox-psp", "sandbox-psp", true, psp),
    ]
}
