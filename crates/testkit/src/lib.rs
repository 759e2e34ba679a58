//! What the tests of several crates need. Everything here is real: a Postgres, an issuer of access tokens that speaks
//! the contract, an OTLP receiver, an SMTP server, programs as processes, a proxy that loses connections, a
//! reader of logs.

pub mod issuer;
pub mod metrics;
pub mod otlp;
mod ports;
pub mod program;
pub mod proxy;
pub mod secrets;
pub mod smtp;

pub use issuer::Issuer;
pub use otlp::OtlpReceiver;
pub use ports::free_addr;
pub use program::Program;
pub use proxy::Proxy;
pub use smtp::Smtp;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};

/// A listener on a free port of the loopback interface, and its address.
pub async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("its address");
    (listener, addr)
}

/// A channel to a service, whose calls may take as long as a busy machine needs.
pub fn channel(addr: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{addr}")).expect("an address").connect_lazy()
}

pub fn with_token<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let value = format!("Bearer {token}").parse().expect("tokens are ASCII");
    request.metadata_mut().insert("authorization", value);
    request
}
