//! The server's connections, and what they share.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::mail::TakenMail;
use super::session;

/// How long one connection may last.
const SESSION_MAX: Duration = Duration::from_secs(60);
/// The server accepts no further connection while this many are open.
const SESSIONS_MAX: usize = 100;

#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// Refuses a recipient with this reply.
    Rcpt(&'static str),
    /// Refuses a message with this reply, in which `{body}` stands for the last words of the message.
    Data(&'static str),
    /// Takes a message, and closes the connection instead of replying.
    Disconnect,
}

pub(super) struct Shared {
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) requires_login: bool,
    pub(super) replies: Mutex<VecDeque<Reply>>,
    pub(super) log: watch::Sender<Log>,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) connections: usize,
    pub(super) taken: Vec<TakenMail>,
    pub(super) refusals: usize,
    errors: Vec<String>,
}

/// Accepts connections until the task is aborted, which aborts the connections too.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if sessions.len() < SESSIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    sessions.spawn(shared.clone().serve(stream));
                }
                // No file descriptor is free, for example.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = sessions.join_next() => {}
        }
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        self.log.send_modify(|log| log.connections += 1);
        let served = timeout(SESSION_MAX, session::serve(stream, &self)).await;
        if let Err(error) = served.unwrap_or_else(|elapsed| Err(elapsed.into())) {
            self.log.send_modify(|log| log.errors.push(error.to_string()));
        }
    }

    /// The next scripted reply, if it is due.
    pub(super) fn next_reply(&self, is_due: impl Fn(&Reply) -> bool) -> Option<Reply> {
        let mut replies = self.replies.lock().expect("no panic while it was held");
        replies.pop_front_if(|reply| is_due(reply))
    }

    pub(super) fn refuse(&self, reply: &'static str) -> &'static str {
        self.log.send_modify(|log| log.refusals += 1);
        reply
    }
}
