//! An SMTP server that takes mail over real sockets and keeps it for the test.

mod mail;
mod session;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

pub use mail::TakenMail;
pub use session::LOGIN;

/// Generous, because machines that run tests are busy.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The server accepts no further connection while this many are open.
const SESSIONS_MAX: usize = 100;

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

#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// Refuses a recipient with this reply.
    Rcpt(&'static str),
    /// Refuses a message with this reply, in which `{body}` stands for the last words of the message.
    Data(&'static str),
    /// Takes a message, and closes the connection instead of replying.
    Disconnect,
}

struct Shared {
    tls: Option<TlsAcceptor>,
    requires_login: bool,
    replies: Mutex<VecDeque<Reply>>,
    log: watch::Sender<Log>,
}

#[derive(Debug, Default)]
struct Log {
    connections: usize,
    taken: Vec<TakenMail>,
    refusals: usize,
    errors: Vec<String>,
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

    pub async fn start_at(addr: SocketAddr, options: Options) -> Self {
        let listener = TcpListener::bind(addr).await.expect("a free port");
        let addr = listener.local_addr().expect("its address");
        let Options { starttls, requires_login, replies } = options;
        let (tls, replies, log) = (starttls.then(tls::acceptor), Mutex::new(replies.into()), watch::Sender::default());
        let shared = Arc::new(Shared { tls, requires_login, replies, log });
        let accept_loop = tokio::spawn(accept(listener, shared.clone()));
        Self { addr, shared, _accept_loop: AbortOnDropHandle::new(accept_loop) }
    }

    /// The PEM file with the certificate authority of a server with STARTTLS.
    pub fn authority(&self) -> &'static Path {
        tls::authority()
    }

    pub fn taken(&self) -> Vec<TakenMail> {
        self.shared.log.borrow().taken.clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.log.borrow().connections
    }

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

/// Accepts connections until the task is aborted, which aborts the connections too.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept(), if sessions.len() < SESSIONS_MAX => {
                let shared = shared.clone();
                shared.log.send_modify(|log| log.connections += 1);
                sessions.spawn(async move {
                    let served = timeout(WAIT_MAX, session::serve(stream, &shared)).await;
                    if let Err(error) = served.unwrap_or_else(|elapsed| Err(elapsed.into())) {
                        shared.log.send_modify(|log| log.errors.push(error.to_string()));
                    }
                });
            }
            Some(_) = sessions.join_next() => {}
            else => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
