//! The services, each a task, which speak to each other through sockets as they do in production.

use std::path::Path;
use std::time::Duration;

use kontor_auth::Mailbox;
use kontor_runtime::settings::{DatabaseSettings, IdentitySettings, TokenSettings};
use kontor_runtime::{Error, Readiness, Service, bind as listen};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::database::Database;
use crate::cli::Up;
use crate::secrets::Secrets;

/// How long the services may take to become ready.
const START_MAX: Duration = Duration::from_secs(60);
/// How long one of them may take to stop; each bounds its own drain below that.
const STOP_MAX: Duration = Duration::from_secs(25);

/// The sockets that the services listen on.
pub(super) struct Sockets {
    edge: TcpListener,
    auth: TcpListener,
    catalog: TcpListener,
    order: TcpListener,
    psp: TcpListener,
}

/// Takes all addresses, or says which is taken.
pub(super) async fn bind(up: &Up) -> Result<Sockets, Error> {
    Ok(Sockets {
        edge: listen("edge (--edge-addr)", up.edge_addr).await?,
        auth: listen("auth (--auth-addr)", up.auth_addr).await?,
        catalog: listen("catalog (--catalog-addr)", up.catalog_addr).await?,
        order: listen("order (--order-addr)", up.order_addr).await?,
        psp: listen("sandbox-psp (--psp-addr)", up.psp_addr).await?,
    })
}

impl Sockets {
    /// The same settings with the addresses that were really taken: port 0 asks for a free one.
    pub(super) fn settle(&self, up: &Up) -> Result<Up, Error> {
        Ok(Up {
            edge_addr: self.edge.local_addr()?,
            auth_addr: self.auth.local_addr()?,
            catalog_addr: self.catalog.local_addr()?,
            order_addr: self.order.local_addr()?,
            psp_addr: self.psp.local_addr()?,
            ..up.clone()
        })
    }
}

pub(super) struct Running {
    tasks: JoinSet<(&'static str, Result<(), Error>)>,
    /// In the order in which they stop: callers before those they call.
    stops: Vec<(&'static str, CancellationToken)>,
    readiness: Vec<Readiness>,
    ended: Vec<&'static str>,
}

pub(super) fn start(up: &Up, secrets: &Secrets, data_dir: &Path, database: &Database, sockets: Sockets) -> Running {
    let tokens = TokenSettings { auth_addr: up.auth_addr.to_string(), issuer: format!("http://{}", up.edge_addr) };
    let identity = |key: &SecretString| IdentitySettings { tokens: tokens.clone(), service_key: key.clone() };
    let edge = kontor_edge::Config {
        listen: up.edge_addr,
        auth_addr: up.auth_addr.to_string(),
        catalog_addr: up.catalog_addr.to_string(),
        order_addr: up.order_addr.to_string(),
        dev_mailbox_addr: None,
    };
    let order = kontor_order::Config {
        listen: up.order_addr,
        database: settings(&database.order),
        identity: identity(&secrets.order_service_key),
        catalog_addr: up.catalog_addr.to_string(),
        psp_addr: up.psp_addr.to_string(),
        lease_seconds: kontor_order::LEASE_SECONDS,
        order_seconds: kontor_order::ORDER_SECONDS,
        answer_wait: kontor_order::ANSWER_WAIT,
    };
    let catalog = kontor_catalog::Config {
        listen: up.catalog_addr,
        database: settings(&database.catalog),
        identity: identity(&secrets.catalog_service_key),
        hold_seconds: up.hold_seconds,
    };
    let journal = Some(data_dir.join("sandbox-psp.journal"));
    let psp = kontor_sandbox_psp::Config { listen: up.psp_addr, journal, tokens: tokens.clone() };
    let auth = auth_config(up, secrets, database, tokens.issuer.clone());
    // Mail that is sent is not shown at the edge.
    let mailbox = (!up.sends_mail()).then(Mailbox::default);
    let routes = mailbox.clone().map(Mailbox::routes).unwrap_or_default();
    // In the order in which they stop: callers before those they call.
    Running::of([
        (kontor_edge::service(edge, routes), sockets.edge),
        (kontor_order::service(order).migrating(), sockets.order),
        (kontor_catalog::service(catalog).migrating(), sockets.catalog),
        (kontor_sandbox_psp::service(psp), sockets.psp),
        (kontor_auth::service(auth, mailbox).migrating(), sockets.auth),
    ])
}

fn settings(url: &SecretString) -> DatabaseSettings {
    DatabaseSettings { url: url.clone(), connections: 16 }
}

fn auth_config(up: &Up, secrets: &Secrets, database: &Database, issuer: String) -> kontor_auth::Config {
    kontor_auth::Config {
        listen: up.auth_addr,
        database: settings(&database.auth),
        issuer,
        admin_email: Some(up.admin_email.clone()),
        admin_password: Some(secrets.admin_password.clone()),
        service_keys: vec![secrets.catalog_service_key.clone(), secrets.order_service_key.clone()],
        key_encryption_key: secrets.key_encryption.clone(),
        trusted_proxies: up.trusted_proxies.clone(),
        key_rotation_days: up.key_rotation_days,
        key_lead: kontor_auth::KEY_LEAD,
        smtp_url: up.smtp_url.clone(),
        mail_from: up.mail_from.clone(),
        link_origin: up.link_origin.clone(),
        dev_mailbox: false,
        password_cost: Default::default(),
    }
}

impl Running {
    fn of(services: impl IntoIterator<Item = (Service, TcpListener)>) -> Self {
        let mut running = Self { tasks: JoinSet::new(), stops: Vec::new(), readiness: Vec::new(), ended: Vec::new() };
        for (service, listener) in services {
            let (name, stop) = (service.name(), CancellationToken::new());
            running.readiness.push(service.readiness());
            let serving = service.serve(listener, stop.clone());
            running.tasks.spawn(async move { (name, serving.await) });
            running.stops.push((name, stop));
        }
        running
    }

    /// Whether each of them is ready, now and later.
    pub(super) fn readiness(&self) -> Vec<Readiness> {
        self.readiness.clone()
    }

    /// Waits until one of them ends by itself, which none should.
    pub(super) async fn failed(&mut self) -> Error {
        let ended = self.tasks.join_next().await;
        if let Some(Ok((name, _))) = &ended {
            self.ended.push(name);
        }
        match ended {
            Some(Ok((name, Err(error)))) => format!("{name}: {}", kontor_runtime::fault::chain(error.as_ref())).into(),
            Some(Ok((name, Ok(())))) => format!("{name} stopped by itself").into(),
            Some(Err(error)) => error.into(),
            None => "no service was started".into(),
        }
    }

    /// Stops them one after the other, callers first, so that what is under way can end.
    pub(super) async fn stop(mut self) {
        for (name, stop) in std::mem::take(&mut self.stops) {
            stop.cancel();
            if tokio::time::timeout(STOP_MAX, self.until_ended(name)).await.is_err() {
                tracing::warn!(name, "did not stop in time");
            }
        }
    }

    async fn until_ended(&mut self, name: &'static str) {
        while !self.ended.contains(&name) {
            let Some(ended) = self.tasks.join_next().await else { return };
            let Ok((name, result)) = ended else { return };
            self.ended.push(name);
            if let Err(error) = result {
                tracing::warn!(name, error = %kontor_runtime::fault::chain(error.as_ref()), "did not stop cleanly");
            }
        }
    }
}

/// Waits until a purchase could be made.
pub(super) async fn wait_until_ready(services: &[Readiness]) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let causes = services.iter().filter_map(|service| Some(format!("{}: {}", service.service(), service.cause()?)));
        let causes: Vec<_> = causes.collect();
        if causes.is_empty() {
            return Ok(());
        }
        if began.elapsed() > START_MAX {
            return Err(format!("not ready within {} s: {}", START_MAX.as_secs(), causes.join("; ")).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
