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
mod metrics;
mod ops;
pub mod setting_parsers;
mod smtp;
mod store;
mod wire;
mod workers;

use std::future::ready;
use std::process::ExitCode;

use futures_util::FutureExt;
use kontor_postgres::{Migrations, migrations};
use kontor_runtime::{Callers, Error, Host, Program, Server, Service};

pub use config::{Config, KEY_LEAD, PasswordCost};
pub use domain::service_key::{ServiceKey, ServiceKeyError};
pub use mailbox::{Mail, Mailbox};
use mailer::Mailer;
use ops::{Auth, SetupError};

/// The tables of auth.
pub fn migrations() -> Migrations {
    migrations!["0001_accounts", "0002_trust"]
}

/// Auth as a process of its own.
pub fn main() -> ExitCode {
    Program::new("auth", "Accounts: signing up and in, tokens, the keys that verify them")
        .migrations(migrations())
        .run(process)
}

/// With the mailbox of a try-out, if the settings ask for it.
fn process(config: Config) -> Service {
    let mailbox = config.dev_mailbox.then(Mailbox::default);
    let routes = mailbox.clone().map(Mailbox::routes).unwrap_or_default();
    service(config, mailbox).monitoring(routes)
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
    let pools = [host.pool()?, host.separate_pool(1)?];
    let set_up = || Auth::set_up(&config, pools.clone(), grpc::on_update(host.verifier.clone()));
    let auth = host.retry_outages(set_up, SetupError::is_outage).await?;
    let server = grpc::add_to(host.server(), auth.clone(), host.stop.clone())
        .worker(workers::publish_revocations(auth.clone()))
        .worker(workers::delete_expired(auth.clone()));
    let Some(mailer) = mailer else {
        tracing::warn!("no mail server (KONTOR_SMTP_URL): mail stays queued, and no user can sign up");
        return Ok(server);
    };
    Ok(server.worker(workers::send_mail(auth, mailer)))
}
