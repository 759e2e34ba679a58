//! Accounts: signing up and in, tokens, the keys that verify them.
//!
//! Layers: [`grpc`] (the wire) -> [`ops`] (use cases, transactions) -> [`domain`] (rules) and [`store`] (SQL).
//! [`wire`] turns the domain into messages of the contract; [`worker`] runs beside the calls; [`mailer`] sends mail by [`smtp`], or into the
//! [`mailbox`] of a try-out.

mod config;
mod domain;
mod grpc;
mod mailbox;
mod mailer;
mod ops;
mod smtp;
mod store;
mod wire;
mod worker;

use std::sync::Arc;

use kontor_postgres::{PoolOptions, connect, migrate};
use kontor_runtime::fault::chain;
use kontor_runtime::{Error, Server, Verifier};
use secrecy::ExposeSecret;
use sqlx::migrate::Migrator;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::{Config, KEY_LEAD, PasswordCost};
pub use domain::service_key::{ServiceKey, ServiceKeyError};
pub use mailbox::{Mail, Mailbox};

use mailer::Mailer;
use ops::Auth;

/// The tables that this service needs.
static MIGRATOR: Migrator = sqlx::migrate!();

/// Serves until `stop`: migrates, makes what is missing (a signing key, the administrator, service accounts), answers
/// calls. Without a mail server in the settings, mail goes into the mailbox; without that too, it stays queued.
///
/// # Errors
/// When a setting is wrong, the database can't be reached or migrated, or the server can't go on.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    mailbox: Option<Mailbox>,
    stop: CancellationToken,
) -> Result<(), Error> {
    let mailer = Mailer::new(&config, mailbox)?;
    let options = PoolOptions::new(config.database_url.expose_secret());
    let options = PoolOptions { application_name: "kontor-auth".into(), ..options };
    let pool = connect(&options).await?;
    migrate(&pool, &MIGRATOR).await?;
    let revocation_pool = connect(&PoolOptions { max_connections: 1, ..options }).await?;
    let verifier = Arc::new(Verifier::local(&config.issuer));
    let auth = Auth::set_up(&config, [pool, revocation_pool], grpc::on_update(verifier.clone())).await?;

    // A server that fails takes the worker with it, and nobody else.
    let stop = stop.child_token();
    let serve = async {
        let ended = server(verifier, auth.clone(), &stop).serve(listener, stop.clone()).await;
        stop.cancel();
        ended
    };
    let (ended, ()) = tokio::join!(serve, worker::run(&auth, mailer.as_ref(), &stop));
    Ok(ended?)
}

fn server(verifier: Arc<Verifier>, auth: Auth, stop: &CancellationToken) -> Server {
    let probed = auth.clone();
    grpc::add_to(Server::new("auth", verifier), auth, stop.clone()).probe(move || {
        let auth = probed.clone();
        async move { auth.ping().await.map_err(|error| chain(&error)) }
    })
}
