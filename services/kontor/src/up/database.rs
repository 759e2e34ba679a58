//! The database: the one that the caller named, or a private Postgres; with a role and a schema for each service.

use std::path::Path;

use kontor_postgres::server::{Server, ServerOptions};
use kontor_runtime::Error;
use secrecy::{ExposeSecret, SecretString};

use crate::cli::Up;
use crate::say;
use crate::schemas::{bootstrap, schemas};
use crate::secrets::Secrets;

/// The database in a private Postgres.
const NAME: &str = "kontor";

/// The database that the services run on.
pub(super) struct Database {
    server: Option<Server>,
    pub(super) auth: SecretString,
    pub(super) catalog: SecretString,
    pub(super) order: SecretString,
}

/// Starts or reaches the database, and makes the roles and schemas that are missing.
pub(super) async fn open(up: &Up, place: &Path, secrets: &Secrets) -> Result<Database, Error> {
    let (server, admin) = match &up.database_url {
        Some(url) => (None, url.expose_secret().to_owned()),
        None => {
            say(format_args!("starting Postgres on {}", place.display()));
            let mut options = ServerOptions::new(place.join("postgres"));
            options.progress = Some(|line| say(line));
            let server = kontor_postgres::server::start(options).await?;
            let admin = server.url(NAME);
            kontor_postgres::create_database(&server.url("postgres"), NAME).await?;
            (Some(server), admin)
        }
    };
    let passwords = [&secrets.auth_database, &secrets.catalog_database, &secrets.order_database];
    let schemas = schemas(passwords.map(SecretString::clone));
    bootstrap(&admin, &schemas).await?;
    let [auth, catalog, order] = &schemas;
    let (auth, catalog, order) = (auth.url(&admin)?, catalog.url(&admin)?, order.url(&admin)?);
    Ok(Database { server, auth, catalog, order })
}

impl Database {
    /// How a person gets to see the tables.
    pub(super) fn hint(&self) -> Option<String> {
        self.server.as_ref().map(|server| format!("{} {NAME}", server.psql_hint()))
    }

    /// Waits until the private Postgres ends by itself, which it should not.
    pub(super) async fn failed(&mut self) -> Error {
        match &mut self.server {
            Some(server) => {
                server.died().await;
                format!(
                    "Postgres has ended by itself; {} may say why. Start again: it recovers",
                    server.log().display()
                )
                .into()
            }
            None => std::future::pending().await,
        }
    }

    /// Stops the private Postgres, if there is one.
    pub(super) async fn close(self) -> Result<(), Error> {
        match self.server {
            Some(server) => Ok(server.stop().await?),
            None => Ok(()),
        }
    }
}
