//! The private Postgres: a role and a schema for each service, as the launcher makes them.

use std::path::PathBuf;
use std::sync::Arc;

use kontor_postgres::server::{Server, ServerOptions};
use kontor_postgres::{Role, role_url};
use kontor_runtime::Error;
use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

use super::Addresses;
use crate::folder::Folder;

const NAME: &str = "kontor";
const PASSWORD: &str = "of-no-worth";

/// The database, which the nemesis may crash and start again.
#[derive(Clone)]
pub(crate) struct Database {
    /// Empty once it was stopped for good.
    server: Arc<Mutex<Option<Server>>>,
    admin_url: String,
    /// For each service, as its own role; the catalog's and the order service's lead through proxies.
    pub(crate) auth_url: String,
    pub(crate) catalog_url: String,
    pub(crate) order_url: String,
}

impl Database {
    /// Starts it, with all that a durable server does.
    pub(crate) async fn start(folder: &Folder, addresses: &Addresses) -> Result<Self, Error> {
        let options = ServerOptions { shared_buffers_mb: 64, durable: true, ..ServerOptions::new(folder.postgres()) };
        let server = kontor_postgres::server::start(options).await?;
        kontor_postgres::create_database(&server.url("postgres"), NAME).await?;
        let admin_url = server.url(NAME);
        let role = |name, schema| Role::new(name, schema, PASSWORD.into());
        let roles = [role("kontor_auth", "auth"), role("kontor_catalog", "catalog"), role("kontor_order", "order")];
        kontor_postgres::bootstrap(&admin_url, &roles).await?;
        let migrations = [kontor_auth::migrations(), kontor_catalog::migrations(), kontor_order::migrations()];
        for (role, migrations) in roles.iter().zip(&migrations) {
            kontor_postgres::migrate_or_compare(&role_url(&admin_url, role)?, migrations, false).await?;
        }
        let by_proxy = |proxy| format!("postgres://{proxy}/{NAME}?sslmode=disable");
        Ok(Self {
            auth_url: role_url(&admin_url, &roles[0])?,
            catalog_url: role_url(&by_proxy(addresses.catalog_database), &roles[1])?,
            order_url: role_url(&by_proxy(addresses.order_database), &roles[2])?,
            server: Arc::new(Mutex::new(Some(server))),
            admin_url,
        })
    }

    pub(crate) async fn socket(&self) -> PathBuf {
        self.server.lock().await.as_ref().map(Server::socket).unwrap_or_default()
    }

    /// A session of the administrator, who may read all schemas.
    pub(crate) async fn connect(&self) -> Result<PgConnection, Error> {
        Ok(PgConnection::connect(&self.admin_url).await?)
    }

    /// Ends it as a crash would, and starts it again when `away` is over. Others wait for their turn with it.
    pub(crate) async fn crash(&self, away: impl Future<Output = ()>) -> Result<(), Error> {
        if let Some(server) = self.server.lock().await.as_mut() {
            server.crash().await?;
            away.await;
            server.start_again().await?;
        }
        Ok(())
    }

    pub(super) async fn stop(&self) -> Result<(), Error> {
        match self.server.lock().await.take() {
            Some(server) => Ok(server.stop().await?),
            None => Ok(()),
        }
    }
}
