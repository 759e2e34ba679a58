//! The database: the one that the caller named, or a private Postgres; with a role and a schema for each service.

use std::path::Path;

use kontor_postgres::server::{Server, ServerOptions};
use kontor_runtime::Error;
use secrecy::{ExposeSecret, SecretString};

use crate::cli::Up;
use crate::say;
use crate::schemas::{Schema, bootstrap, schemas};
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
    let passwords = [&secrets.auth_database, &secrets.catalog_database, &secrets.order_database];
    let schemas = schemas(passwords.map(SecretString::clone));
    let (server, admin) = match &up.database_url {
        Some(url) => {
            let admin = url.expose_secret().to_owned();
            refuse_roles_of_others(&admin, &schemas).await?;
            (None, admin)
        }
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
    bootstrap(&admin, &schemas).await?;
    let [auth, catalog, order] = &schemas;
    let (auth, catalog, order) = (auth.url(&admin)?, catalog.url(&admin)?, order.url(&admin)?);
    Ok(Database { server, auth, catalog, order })
}

/// Their services would not get in any more once the passwords are ours.
async fn refuse_roles_of_others(admin_url: &str, schemas: &[Schema]) -> Result<(), Error> {
    let roles: Vec<_> = schemas.iter().map(|schema| schema.role.clone()).collect();
    match kontor_postgres::role_of_others(admin_url, &roles).await? {
        None => Ok(()),
        Some(role) => Err(format!(
            "the role {role} of this database server has another password than the data folder: another Kontor uses it. Give \
             that one's folder by --data-dir, or another server by --database-url"
        )
        .into()),
    }
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
