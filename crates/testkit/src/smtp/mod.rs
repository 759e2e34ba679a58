//! An SMTP server that takes mail over real sockets and keeps it for the test.

mod auth;
mod mail;
mod server;
mod session;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

pub use auth::LOGIN;
pub use mail::TakenMail;
pub use server::Reply;
use server::{Log, Shared};

/// Generous, because machines that run tests are busy.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What a server offers, and its scripted replies.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Offers STARTTLS, with a certificate for `localhost` and 127.0.0.1 from [`Smtp::authority`].
    pub starttls: bool,
    /// Takes mail after a login with [`LOGIN`] only. With `starttls`, the login must be encrypted.
    pub requires_login: bool,
    /// Each reply is given once, in this order. After the last one, the server takes all mail.
    pub replies: Vec<Reply>,
}

/// A running server. Dropped, it closes its port and all connections.
pub struct Smtp {
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    _accept_loop: AbortOnDropHandle<()>,
}

impl Smtp {
    /// Starts a server on a free port of the loopback interface.
    pub async fn start(options: Options) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), options).await
    }

    /// Starts a server at an address.
    pub async fn start_at(addr: SocketAddr, options: Options) -> Self {
        let listener = TcpListener::bind(addr).await.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let Options { starttls, requires_login, replies } = options;
        let tls = starttls.then(tls::acceptor);
        let replies = Mutex::new(replies.into());
        let shared = Arc::new(Shared { tls, requires_login, replies, log: watch::Sender::default() });
        let accept_loop = tokio::spawn(server::accept(listener, shared.clone()));
        Self { addr, shared, _accept_loop: AbortOnDropHandle::new(accept_loop) }
    }

    /// The PEM file with the certificate authority of a server with STARTTLS.
    pub fn authority(&self) -> &'static Path {
        tls::authority()
    }

    /// The mails that it took so far.
    pub fn taken(&self) -> Vec<TakenMail> {
        self.shared.log.borrow().taken.clone()
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.log.borrow().connections
    }

    /// The number of scripted refusals so far.
    pub fn refusals(&self) -> usize {
        self.shared.log.borrow().refusals
    }

    /// Waits until it has taken `count` mails.
    pub async fn takes(&self, count: usize) -> Vec<TakenMail> {
        self.wait_for("mails", count, |log| log.taken.len()).await;
        self.taken()
    }

    /// Waits until there were `count` connections.
    pub async fn is_called(&self, count: usize) {
        self.wait_for("connections", count, |log| log.connections).await;
    }

    async fn wait_for(&self, what: &str, count: usize, found: impl Fn(&Log) -> usize) {
        let mut log = self.shared.log.subscribe();
        let is_reached = timeout(WAIT_MAX, log.wait_for(|log| found(log) >= count)).await.is_ok();
        assert!(is_reached, "fewer than {count} {what}: {:?}", self.shared.log.borrow());
    }
}
