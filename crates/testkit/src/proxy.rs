//! A TCP proxy that behaves as bad networks do, on demand: it cuts connections, delays bytes, or lets them vanish.
//!
//! With several backends it is the load balancer in front of them as well: each new connection goes to the next one that accepts.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_util::sync::DropGuard;

/// The most bytes that travel together.
const PIECE: usize = 16 * 1024;
/// How long a backend may take to accept.
const CONNECT_MAX: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub enum Backend {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub connections: u64,
    pub unserved: u64,
    pub cut: u64,
}

/// A running proxy. Dropped, it ends, and its connections with it.
pub struct Proxy {
    pub addr: SocketAddr,
    way: Arc<Way>,
    _end: DropGuard,
}

struct Way {
    backends: Vec<Backend>,
    next: AtomicUsize,
    weather: watch::Sender<Weather>,
    accepted: AtomicU64,
    strandings: AtomicU64,
    connections: AtomicU64,
    unserved: AtomicU64,
    cut: AtomicU64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Weather {
    /// How often connections were cut; those that were made before the last time end.
    cuts: u64,
    delay: Duration,
    frozen: bool,
    stranded: Option<Stranded>,
}

/// Every other one of the connections that there were.
#[derive(Clone, Copy, Debug)]
struct Stranded {
    parity: u64,
    below: u64,
}

impl Weather {
    fn lets_through(&self, number: u64) -> bool {
        let is_stranded = |stranded: &Stranded| number < stranded.below && number % 2 == stranded.parity;
        !self.frozen && !self.stranded.as_ref().is_some_and(is_stranded)
    }
}

impl Proxy {
    /// Starts one at an address, in front of backends.
    pub async fn start(addr: SocketAddr, backends: Vec<Backend>) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let way = Arc::new(Way {
            backends,
            next: AtomicUsize::new(0),
            weather: watch::Sender::new(Weather::default()),
            accepted: AtomicU64::new(0),
            strandings: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            unserved: AtomicU64::new(0),
            cut: AtomicU64::new(0),
        });
        let end = tokio_util::sync::CancellationToken::new();
        tokio::spawn(end.clone().run_until_cancelled_owned(accept(listener, way.clone())));
        Ok(Self { addr, way, _end: end.drop_guard() })
    }

    /// Ends all connections at once. New ones are led on.
    pub fn cut(&self) {
        self.way.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Holds all bytes back for this long, from now on.
    pub fn delay(&self, delay: Duration) {
        self.way.weather.send_modify(|weather| weather.delay = delay);
    }

    /// A black hole: connections are accepted and stay open, and nothing comes through, until [`Self::heal`]; then what was
    /// sent meanwhile comes late, as packets do that are sent again.
    pub fn freeze(&self) {
        self.way.weather.send_modify(|weather| weather.frozen = true);
    }

    /// A black hole for every other one of the connections there are, by turns the one half and the other. What they carry comes late,
    /// after what others have sent meanwhile.
    pub fn strand(&self) {
        let below = self.way.accepted.load(Ordering::Relaxed);
        let parity = self.way.strandings.fetch_add(1, Ordering::Relaxed) % 2;
        self.way.weather.send_modify(|weather| weather.stranded = Some(Stranded { parity, below }));
    }

    pub fn heal(&self) {
        self.way.weather.send_modify(|weather| *weather = Weather { cuts: weather.cuts, ..Weather::default() });
    }

    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            connections: read(&self.way.connections),
            unserved: read(&self.way.unserved),
            cut: read(&self.way.cut),
        }
    }
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(way.clone().lead(client))),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Way {
    async fn lead(self: Arc<Self>, client: TcpStream) {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed);
        let mut weather = self.weather.subscribe();
        let cuts = weather.borrow_and_update().cuts;
        let _ = client.set_nodelay(true);
        let led = async {
            self.thawed(number).await;
            let backend = self.connect().await;
            self.count(if backend.is_some() { &self.connections } else { &self.unserved });
            match backend {
                Some(Stream::Tcp(backend)) => self.both_ways(number, client, backend).await,
                Some(Stream::Unix(backend)) => self.both_ways(number, client, backend).await,
                None => {}
            }
        };
        tokio::select! {
            () = led => {}
            _ = weather.wait_for(|weather| weather.cuts != cuts) => self.count(&self.cut),
        }
    }

    async fn connect(&self) -> Option<Stream> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        for step in 0..self.backends.len() {
            let backend = &self.backends[first.wrapping_add(step) % self.backends.len()];
            if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT_MAX, Stream::to(backend)).await {
                return Some(stream);
            }
        }
        None
    }

    /// Ends when either side can't be read or written any more. One that has only ended its sending is still sent to.
    async fn both_ways<S: AsyncRead + AsyncWrite>(&self, number: u64, client: TcpStream, backend: S) {
        let (from_client, to_client) = tokio::io::split(client);
        let (from_backend, to_backend) = tokio::io::split(backend);
        let _ =
            tokio::try_join!(self.carry(number, from_client, to_backend), self.carry(number, from_backend, to_client));
    }

    async fn carry(
        &self,
        number: u64,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let length = from.read(&mut piece).await?;
            self.thawed(number).await;
            let delay = self.weather.borrow().delay;
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
                self.thawed(number).await;
            }
            if length == 0 {
                return to.shutdown().await;
            }
            to.write_all(&piece[..length]).await?;
        }
    }

    async fn thawed(&self, number: u64) {
        let _ = self.weather.subscribe().wait_for(|weather| weather.lets_through(number)).await;
    }

    fn count(&self, counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    async fn to(backend: &Backend) -> io::Result<Self> {
        match backend {
            Backend::Tcp(addr) => {
                let stream = TcpStream::connect(addr).await?;
                stream.set_nodelay(true)?;
                Ok(Self::Tcp(stream))
            }
            Backend::Unix(path) => Ok(Self::Unix(UnixStream::connect(path).await?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    /// A server that answers each connection's bytes with its own name before them.
    async fn named(name: &'static str) -> Backend {
        let (listener, addr) = crate::listener().await;
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut bytes = [0; 64];
                    while let Ok(length @ 1..) = stream.read(&mut bytes).await {
                        let answer = [name.as_bytes(), &bytes[..length]].concat();
                        stream.write_all(&answer).await.expect("a client that reads");
                    }
                });
            }
        });
        Backend::Tcp(addr)
    }

    async fn before(backends: Vec<Backend>) -> Proxy {
        Proxy::start("127.0.0.1:0".parse().expect("an address"), backends).await.expect("a free port")
    }

    async fn ask(stream: &mut TcpStream, text: &str) -> String {
        stream.write_all(text.as_bytes()).await.expect("an open connection");
        answer(stream).await
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = [0; 64];
        let length = timeout(SOON, stream.read(&mut bytes)).await.expect("an answer").expect("an open connection");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    async fn connect(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(proxy.addr).await.expect("a proxy that listens")
    }

    #[tokio::test]
    async fn each_new_connection_goes_to_the_next_backend_that_accepts() {
        let gone = Backend::Tcp(crate::free_addr());
        let proxy = before(vec![named("a").await, gone, named("b").await]).await;
        let mut answers = Vec::new();
        for _ in 0..3 {
            answers.push(ask(&mut connect(&proxy).await, "?").await);
        }
        assert_eq!(answers, ["a?", "b?", "b?"]);
        assert_eq!(proxy.counts(), Counts { connections: 3, unserved: 0, cut: 0 });
    }

    #[tokio::test]
    async fn without_a_backend_that_accepts_the_connection_ends() {
        let proxy = before(vec![Backend::Tcp(crate::free_addr()), Backend::Unix("/nowhere".into())]).await;
        assert_eq!(answer(&mut connect(&proxy).await).await, "");
        assert_eq!(proxy.counts().unserved, 1);
    }

    #[tokio::test]
    async fn a_unix_socket_is_reached_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("socket");
        let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
        let proxy = before(vec![Backend::Unix(path)]).await;
        let mut client = connect(&proxy).await;
        let (mut server, _) = listener.accept().await.expect("a connection");
        server.write_all(b"hello").await.expect("an open connection");
        assert_eq!(answer(&mut client).await, "hello");
    }

    #[tokio::test]
    async fn a_cut_ends_the_connections_there_are_and_none_that_follow() {
        let proxy = before(vec![named("a").await]).await;
        let mut old = connect(&proxy).await;
        assert_eq!(ask(&mut old, "1").await, "a1");
        proxy.cut();
        let rest = timeout(SOON, old.read(&mut [0; 8])).await.expect("an end");
        assert!(matches!(rest, Ok(0) | Err(_)), "{rest:?}");
        assert_eq!(ask(&mut connect(&proxy).await, "2").await, "a2");
        assert_eq!(proxy.counts(), Counts { connections: 2, unserved: 0, cut: 1 });
    }

    #[tokio::test]
    async fn frozen_it_accepts_and_lets_nothing_through_and_healed_it_brings_it_late() {
        let proxy = before(vec![named("a").await]).await;
        let mut old = connect(&proxy).await;
        assert_eq!(ask(&mut old, "1").await, "a1");
        proxy.freeze();
        let mut new = connect(&proxy).await;
        for stream in [&mut old, &mut new] {
            stream.write_all(b"2").await.expect("an open connection");
            assert!(timeout(Duration::from_millis(50), stream.read(&mut [0; 8])).await.is_err(), "nothing comes");
        }
        proxy.heal();
        assert_eq!((answer(&mut old).await, answer(&mut new).await), ("a2".into(), "a2".into()));
    }

    #[tokio::test]
    async fn half_of_the_connections_are_stranded_and_new_ones_are_not() {
        let proxy = before(vec![named("a").await]).await;
        let (mut first, mut second) = (connect(&proxy).await, connect(&proxy).await);
        assert_eq!((ask(&mut first, "1").await, ask(&mut second, "1").await), ("a1".into(), "a1".into()));
        proxy.strand();
        first.write_all(b"2").await.expect("an open connection");
        assert!(timeout(Duration::from_millis(50), first.read(&mut [0; 8])).await.is_err(), "nothing comes");
        assert_eq!(ask(&mut second, "2").await, "a2");
        assert_eq!(ask(&mut connect(&proxy).await, "2").await, "a2");
        proxy.heal();
        assert_eq!(answer(&mut first).await, "a2", "late, but there");
        proxy.strand();
        assert_eq!(ask(&mut first, "3").await, "a3", "the other half's turn");
    }

    #[tokio::test]
    async fn a_delay_holds_bytes_back_and_loses_none() {
        let proxy = before(vec![named("a").await]).await;
        let delay = Duration::from_millis(60);
        proxy.delay(delay);
        let (mut client, began) = (connect(&proxy).await, tokio::time::Instant::now());
        assert_eq!(ask(&mut client, "1").await, "a1");
        assert!(began.elapsed() >= 2 * delay, "held back both ways");
    }

    #[tokio::test]
    async fn whoever_has_ended_sending_still_gets_the_answer() {
        let (listener, addr) = crate::listener().await;
        let proxy = before(vec![Backend::Tcp(addr)]).await;
        let mut client = connect(&proxy).await;
        client.write_all(b"all").await.expect("an open connection");
        client.shutdown().await.expect("an open connection");
        let (mut server, _) = listener.accept().await.expect("a connection");
        let mut got = String::new();
        server.read_to_string(&mut got).await.expect("text");
        server.write_all(b"done").await.expect("an open connection");
        assert_eq!((got.as_str(), answer(&mut client).await.as_str()), ("all", "done"));
    }
}
