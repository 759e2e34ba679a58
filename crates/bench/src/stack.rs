//! Auth, the catalog, the order service and the edge, each behind its socket, on a database of their own.

use std::net::SocketAddr;

use axum::Router;
use clap::{Args, Command};
use kontor_auth::{Mailbox, PasswordCost, ServiceKey};
use kontor_postgres::server::{Server, ServerOptions};
use kontor_postgres::{Role, role_url};
use kontor_runtime::{Error, Service, peer};
use kontor_testkit::listener;
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub(crate) struct Stack {
    pub(crate) auth: Channel,
    pub(crate) catalog: Channel,
    pub(crate) order: Channel,
    pub(crate) edge: SocketAddr,
    pub(crate) mailbox: Mailbox,
}

/// Does something with the services, whose password hashes cost so much, on a Postgres that is as durable as a real one, and stops
/// them again.
pub(crate) async fn with<T>(cost: PasswordCost, work: impl AsyncFnOnce(Stack) -> Result<T, Error>) -> Result<T, Error> {
    let folder = tempfile::tempdir()?;
    let options = ServerOptions { durable: true, ..ServerOptions::new(folder.path().to_owned()) };
    let postgres = kontor_postgres::server::start(options).await?;
    let mut services = JoinSet::new();
    let done = match start(&postgres, cost, &mut services).await {
        Ok(stack) => tokio::select! {
            done = work(stack) => done,
            Some(ended) = services.join_next() => Err(ended.unwrap_or_else(Error::from)),
        },
        Err(error) => Err(error),
    };
    services.shutdown().await;
    postgres.stop().await?;
    done
}

async fn start(postgres: &Server, cost: PasswordCost, services: &mut JoinSet<Error>) -> Result<Stack, Error> {
    let roles = [("kontor_auth", "auth"), ("kontor_catalog", "catalog"), ("kontor_order", "order")];
    let roles = roles.map(|(name, schema)| Role::new(name, schema, "of-no-worth".into()));
    kontor_postgres::create_database(&postgres.url("postgres"), "kontor").await?;
    let admin_url = postgres.url("kontor");
    kontor_postgres::bootstrap(&admin_url, &roles).await?;
    let url = |role: usize| role_url(&admin_url, &roles[role]);
    let [auth_url, catalog_url, order_url] = [url(0)?, url(1)?, url(2)?];

    let [(auth_socket, auth), (catalog_socket, catalog), (order_socket, order), (edge_socket, edge)] =
        [listener().await, listener().await, listener().await, listener().await];
    let [auth, catalog, order] = [auth, catalog, order].map(|address| address.to_string());
    let issuer = format!("http://{edge}");
    // One account for both: this is about people's tokens.
    let key = ServiceKey::generate("catalog").expose_secret().to_owned();
    let auth_config = settings(&[
        ("database-url", &auth_url),
        ("issuer", &issuer),
        ("service-keys", &key),
        ("key-encryption-key", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
    ])?;
    let auth_config = kontor_auth::Config { password_cost: cost, ..auth_config };
    let catalog_config =
        settings(&[("database-url", &catalog_url), ("issuer", &issuer), ("auth-addr", &auth), ("service-key", &key)])?;
    let order_config = settings(&[
        ("database-url", &order_url),
        ("issuer", &issuer),
        ("auth-addr", &auth),
        ("catalog-addr", &catalog),
        ("service-key", &key),
    ])?;
    let edge_config = settings(&[("auth-addr", &auth), ("catalog-addr", &catalog), ("order-addr", &order)])?;
    let (never, mailbox) = (CancellationToken::new(), Mailbox::default());
    let mut spawn = |service: Service, listener: TcpListener| {
        let serving = service.migrating().serve(listener, never.clone());
        services.spawn(async { serving.await.err().unwrap_or_else(|| "a service stopped by itself".into()) });
    };
    spawn(kontor_auth::service(auth_config, Some(mailbox.clone())), auth_socket);
    spawn(kontor_catalog::service(catalog_config), catalog_socket);
    spawn(kontor_order::service(order_config), order_socket);
    spawn(kontor_edge::service(edge_config, Router::new()), edge_socket);
    let [auth, catalog, order] = [peer::channel(&auth)?, peer::channel(&catalog)?, peer::channel(&order)?];
    Ok(Stack { auth, catalog, order, edge, mailbox })
}

/// Settings by the names of their flags, and their defaults otherwise.
fn settings<C: Args>(given: &[(&str, &str)]) -> Result<C, Error> {
    let flags = given.iter().map(|(name, value)| format!("--{name}={value}"));
    let command = C::augment_args(Command::new("service").no_binary_name(true));
    Ok(C::from_arg_matches(&command.try_get_matches_from(flags)?)?)
}
