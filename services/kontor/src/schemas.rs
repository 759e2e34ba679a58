//! The schemas of the services: each with a role of its own, made by an administrator of the database.

use kontor_postgres::{Migrations, Role, role_url};
use kontor_runtime::Error;
use secrecy::SecretString;

/// The schema of a service.
pub(crate) struct Schema {
    pub(crate) service: &'static str,
    pub(crate) role: Role,
    pub(crate) migrations: Migrations,
}

/// The schemas of all services, with the passwords of their roles: of auth, the catalog and the order service.
pub(crate) fn schemas([auth, catalog, order]: [SecretString; 3]) -> [Schema; 3] {
    [
        schema("auth", Role::new("kontor_auth", "auth", auth), kontor_auth::migrations()),
        schema("catalog", Role::new("kontor_catalog", "catalog", catalog), kontor_catalog::migrations()),
        schema("order", Role::new("kontor_order", "order", order), kontor_order::migrations()),
    ]
}

fn schema(service: &'static str, role: Role, migrations: Migrations) -> Schema {
    Schema { service, role, migrations }
}

/// Makes the roles and schemas that are missing, and sets the passwords.
pub(crate) async fn bootstrap(admin_url: &str, schemas: &[Schema]) -> Result<(), Error> {
    let roles: Vec<_> = schemas.iter().map(|schema| schema.role.clone()).collect();
    Ok(kontor_postgres::bootstrap(admin_url, &roles).await?)
}

impl Schema {
    /// The database as the role of the service reaches it.
    pub(crate) fn url(&self, admin_url: &str) -> Result<SecretString, Error> {
        Ok(role_url(admin_url, &self.role)?.into())
    }
}
