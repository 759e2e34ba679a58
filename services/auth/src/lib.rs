//! Accounts: signing up and in, tokens, the keys that verify them.
//!
//! Layers: [`grpc`] (the wire) -> [`ops`] (use cases, transactions) -> [`domain`] (rules) and [`store`] (SQL).
//! [`wire`] turns the domain into messages of the contract; [`workers`] runs beside the calls; [`mailer`] sends mail by [`smtp`], or into the
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
mod workers;

use std::future::ready;
use std::process::ExitCode;

use futures_util::FutureExt;
use kontor_postgres::{Migrations, migrations};
use kontor_runtime::{Callers, Error, Host, Server, Service, process};

pub use config::{Config, KEY_LEAD, PasswordCost};
pub use domain::service_key::{ServiceKey, ServiceKeyError};
pub use mailbox::{Mail, Mailbox};
use mailer::Mailer;
use ops::Auth;

/// The tables of auth.
pub fn migrations() -> Migrations {
    migrations!["0001_accounts", "0002_trust"]
}

/// Auth as a process of its own.
pub fn main() -> ExitCode {
    service(process::settings("kontor-auth", "Accounts: signing up and in, tokens, the keys that verify them."), None)
        .run()
}

/// The auth service. When it starts, it makes what is missing: a signing key, the administrator, service accounts. Without a mail server in
/// the settings, mail goes into the mailbox; without that too, it stays queued.
pub fn service(config: Config, mailbox: Option<Mailbox>) -> Service {
    let mailer = match Mailer::new(&config, mailbox) {
        Ok(mailer) => mailer,
        Err(error) => return Service::new("auth", config.listen, |_, _| ready(Err(error.into())).boxed()),
    };
    Service::grpc("auth", config.listen, Callers::Local(config.issuer.clone()))
        .schema(config.database.clone(), migrations())
        .start(move |host| start(config, mailer, host))
}

async fn start(config: Config, mailer: Option<Mailer>, host: Host) -> Result<Server, Error> {
    let pools = [host.pool()?, host.separate_pool(1).await?];
    let auth = Auth::set_up(&config, pools, grpc::on_update(host.verifier.clone())).await?;
    let server = grpc::add_to(host.server(), auth.clone(), host.stop.clone())
        .worker(workers::publish_revocations(auth.clone()))
        .worker(workers::delete_expired(auth.clone()));
    let Some(mailer) = mailer else {
        tracing::warn!("no mail server (KONTOR_SMTP_URL): mail stays queued, and no user can sign up");
        return Ok(server);
    };
    Ok(server.worker(workers::send_mail(auth, mailer)))
}
