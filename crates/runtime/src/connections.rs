//! Connections that a listener takes: only so many, in all and from one origin; only those that soon say something; and none whose other
//! end has stopped reading. Otherwise silent connections would take all places, or all files that the process may open.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Connections at a time, at most; further ones wait in the kernel's queue.
pub(crate) const CONNECTIONS_MAX: usize = 10_000;
/// Those of one origin, at most; further ones are closed.
const ORIGIN_CONNECTIONS_MAX: usize = CONNECTIONS_MAX / 2;
/// How long a caller may take until it is known what protocol it speaks, and to send the head of a request.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other end may not take what is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait after a connection could not be accepted, which mostly means too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often a connection that has said a little is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The connections that come, each as soon as it has begun to speak. Nothing is accepted while nobody polls.
pub(crate) fn incoming(listener: TcpListener) -> impl Stream<Item = io::Result<Connection>> {
    let state = (listener, Places::default());
    let accepted = stream::unfold(state, |(listener, places)| async move {
        let accepted = accept(&listener, &places).await;
        Some((accepted, (listener, places)))
    });
    let begun = accepted.map(|(stream, place)| begun(stream, place)).buffer_unordered(CONNECTIONS_MAX);
    begun.filter_map(|connection| std::future::ready(connection.map(Ok)))
}

async fn accept(listener: &TcpListener, places: &Places) -> (TcpStream, Place) {
    let slot = places.slot().await;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if places.claim(origin(peer)) {
                    return (stream, Place { origin: origin(peer), places: places.clone(), _slot: slot });
                }
                tracing::debug!(%peer, "too many connections from one origin");
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The connection, unless it says too little for too long.
async fn begun(stream: TcpStream, place: Place) -> Option<Connection> {
    let begins = timeout(HEAD_TIMEOUT, begins(&stream)).await;
    if !matches!(begins, Ok(Ok(true))) {
        return None;
    }
    Connection::new(stream, place).ok()
}

/// Waits until it is clear which protocol is spoken. An accepted socket counts as readable before anything has come, so this looks for
/// bytes.
async fn begins(stream: &TcpStream) -> io::Result<bool> {
    let mut bytes = [0; HTTP2_PREFACE.len()];
    loop {
        let count = stream.peek(&mut bytes).await?;
        let is_clear = count == bytes.len() || bytes[..count] != HTTP2_PREFACE[..count];
        if is_clear || count == 0 {
            return Ok(count > 0);
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// The origin that a connection counts for: an IPv4 address, or an IPv6 /64, of which a customer of a provider has at least one.
fn origin(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !u128::from(u64::MAX)).into()),
        ip @ IpAddr::V4(_) => ip,
    }
}

#[derive(Clone)]
struct Places {
    slots: Arc<Semaphore>,
    by_origin: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Default for Places {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(CONNECTIONS_MAX)), by_origin: Arc::default() }
    }
}

impl Places {
    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // Only a closed semaphore gives none, and this one is never closed.
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    fn claim(&self, origin: IpAddr) -> bool {
        let mut by_origin = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
        let count = by_origin.entry(origin).or_default();
        let is_free = *count < ORIGIN_CONNECTIONS_MAX;
        *count += usize::from(is_free);
        is_free
    }

    fn give_back(&self, origin: IpAddr) {
        let mut by_origin = self.by_origin.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = by_origin.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                by_origin.remove(&origin);
            }
        }
    }
}

/// The place of a connection, given back when this is dropped.
struct Place {
    origin: IpAddr,
    places: Places,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.give_back(self.origin);
    }
}

/// A connection that has begun to speak.
pub(crate) struct Connection {
    stream: Pin<Box<TimeoutStream<TcpStream>>>,
    pub(crate) peer: SocketAddr,
    local: SocketAddr,
    _place: Place,
}

impl Connection {
    fn new(stream: TcpStream, place: Place) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        Ok(Self { stream: Box::pin(stream), peer, local, _place: place })
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: Some(self.local), remote_addr: Some(self.peer) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_and_a_mapped_address_are_one_origin_each() {
        let of = |address: &str| origin(SocketAddr::new(address.parse().unwrap(), 1));
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn one_origin_does_not_take_all_places() {
        let (places, greedy, other) = (Places::default(), IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let taken = (0..CONNECTIONS_MAX).filter(|_| places.claim(greedy)).count();
        assert_eq!(taken, ORIGIN_CONNECTIONS_MAX);
        assert!(places.claim(other));
        places.give_back(greedy);
        assert!(places.claim(greedy) && !places.claim(greedy));
    }
}
