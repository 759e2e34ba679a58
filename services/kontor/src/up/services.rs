//! The services, each a task, which speak to each other through sockets as they do in production.

use std::path::Path;
use std::time::Duration;

use kontor_auth::Mailbox;
use kontor_runtime::{Error, bind as listen, peer};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::database::Database;
use super::mailbox;
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

/// The running services.
pub(super) struct Running {
    tasks: JoinSet<(&'static str, Result<(), Error>)>,
    /// In the order in which they stop: callers before those they call.
    stops: Vec<(&'static str, CancellationToken)>,
    /// Those that have ended.
    ended: Vec<&'static str>,
}

/// Starts all of them.
pub(super) async fn start(
    up: &Up,
    secrets: &Secrets,
    place: &Path,
    database: &Database,
    sockets: Sockets,
) -> Result<Running, Error> {
    let issuer = format!("http://{}", up.edge_addr);
    // Where mail is sent, nobody gets to see it here.
    let mailbox = (!up.sends_mail()).then(Mailbox::default);
    let mut running = Running { tasks: JoinSet::new(), stops: Vec::new(), ended: Vec::new() };
    let edge = kontor_edge::Config {
        listen: up.edge_addr,
        auth_addr: up.auth_addr.to_string(),
        catalog_addr: up.catalog_addr.to_string(),
        order_addr: up.order_addr.to_string(),
    };
    let routes = mailbox.clone().map(mailbox::routes).unwrap_or_default();
    running.spawn("edge", |stop| kontor_edge::run(edge, sockets.edge, routes, stop));
    let order = order_config(up, secrets, database, &issuer);
    running.spawn("order", |stop| kontor_order::serve(order, sockets.order, stop));
    let catalog = kontor_catalog::Config {
        listen: up.catalog_addr,
        database_url: database.catalog.clone(),
        auth_addr: up.auth_addr.to_string(),
        service_key: secrets.catalog_service_key.clone(),
        issuer: issuer.clone(),
        database_connections: 16,
        hold_seconds: up.hold_seconds,
    };
    running.spawn("catalog", |stop| kontor_catalog::serve(catalog, sockets.catalog, stop));
    let psp = kontor_sandbox_psp::Config {
        listen: up.psp_addr,
        journal: Some(place.join("sandbox-psp.journal")),
        auth_addr: up.auth_addr.to_string(),
        issuer: issuer.clone(),
    };
    running.spawn("sandbox-psp", |stop| kontor_sandbox_psp::serve(psp, sockets.psp, stop));
    let auth = auth_config(up, secrets, database, issuer);
    running.spawn("auth", |stop| kontor_auth::serve(auth, sockets.auth, mailbox, stop));
    Ok(running)
}

fn order_config(up: &Up, secrets: &Secrets, database: &Database, issuer: &str) -> kontor_order::Config {
    kontor_order::Config {
        listen: up.order_addr,
        database_url: database.order.clone(),
        auth_addr: up.auth_addr.to_string(),
        catalog_addr: up.catalog_addr.to_string(),
        psp_addr: up.psp_addr.to_string(),
        service_key: secrets.order_service_key.clone(),
        issuer: issuer.into(),
        lease_seconds: kontor_order::LEASE_SECONDS,
        order_seconds: kontor_order::ORDER_SECONDS,
        database_connections: 16,
    }
}

fn auth_config(up: &Up, secrets: &Secrets, database: &Database, issuer: String) -> kontor_auth::Config {
    let service_keys: Vec<SecretString> = vec![secrets.catalog_service_key.clone(), secrets.order_service_key.clone()];
    kontor_auth::Config {
        listen: up.auth_addr,
        database_url: database.auth.clone(),
        issuer,
        admin_email: Some(up.admin_email.clone()),
        admin_password: Some(secrets.admin_password.clone()),
        service_keys,
        key_encryption_key: secrets.key_encryption.clone(),
        trusted_proxies: up.trusted_proxies.clone(),
        key_rotation_days: up.key_rotation_days,
        key_lead: kontor_auth::KEY_LEAD,
        smtp_url: up.smtp_url.clone(),
        mail_from: up.mail_from.clone(),
        link_origin: up.link_origin.clone(),
        password_cost: Default::default(),
    }
}

impl Running {
    fn spawn<F, Fut>(&mut self, name: &'static str, serve: F)
    where
        F: FnOnce(CancellationToken) -> Fut,
        Fut: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let serving = serve(stop.clone());
        self.tasks.spawn(async move { (name, serving.await) });
        self.stops.push((name, stop));
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
pub(super) async fn wait_until_ready(up: &Up) -> Result<(), Error> {
    let services =
        [("auth", up.auth_addr), ("catalog", up.catalog_addr), ("sandbox-psp", up.psp_addr), ("order", up.order_addr)];
    for (name, addr) in services {
        let health = HealthClient::new(peer::channel(&addr.to_string())?);
        let ready = tokio::time::timeout(START_MAX, until_serving(health)).await;
        ready.map_err(|_| format!("{name} did not become ready within {} s", START_MAX.as_secs()))?;
    }
    Ok(())
}

async fn until_serving(mut health: HealthClient<tonic::transport::Channel>) {
    let serving = i32::from(tonic_health::ServingStatus::Serving as u8);
    loop {
        let answer = health.check(HealthCheckRequest::default()).await;
        if answer.is_ok_and(|answer| answer.get_ref().status == serving) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
