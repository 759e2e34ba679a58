//! The caller of a request, and the origin of the call.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use kontor_runtime::Caller;
use tonic::Request;

use crate::domain::origin::Origin;
use crate::ops::{Auth, RequestContext};

/// Splits a request into its context and its message. The edge names the address that it was called from in `x-forwarded-for`. That header is
/// trusted from the proxies in the settings only: the origin is the last address that is not one of them.
pub(super) fn split<T>(auth: &Auth, request: Request<T>) -> (RequestContext, T) {
    let metadata = request.metadata();
    let text = |key| metadata.get(key).and_then(|value| value.to_str().ok());
    let forwarded: Vec<_> =
        metadata.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let peer = request.remote_addr().map(|peer| peer.ip());
    let address = peer.map(|peer| origin(peer, &forwarded.join(","), auth.trusted_proxies()));
    // Behind the edge `user-agent` is the edge's own.
    let user_agent = text("x-forwarded-user-agent").or_else(|| text("user-agent")).unwrap_or_default();
    let context = RequestContext { caller: Caller::of(&request), origin: Origin::new(address, user_agent) };
    (context, request.into_inner())
}

fn origin(peer: IpAddr, forwarded: &str, proxies: &[IpNet]) -> IpAddr {
    let mut hops = forwarded.rsplit(',').map_while(hop);
    let mut at = peer.to_canonical();
    while proxies.iter().any(|proxy| proxy.contains(&at)) {
        let Some(before) = hops.next() else { break };
        at = before.to_canonical();
    }
    at
}

/// An address, with or without a port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    text.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &str) -> String {
        let proxies = ["127.0.0.0/8", "::1/128", "10.1.0.0/16"].map(|net| net.parse().unwrap());
        origin(peer.parse().unwrap(), forwarded, &proxies).to_string()
    }

    #[test]
    fn only_trusted_proxies_name_the_origin() {
        assert_eq!(seen("192.0.2.1", "198.51.100.7"), "192.0.2.1", "a stranger says so");
        assert_eq!(seen("127.0.0.1", ""), "127.0.0.1");
        assert_eq!(seen("::ffff:127.0.0.1", "192.0.2.1"), "192.0.2.1");
        assert_eq!(seen("127.0.0.1", "198.51.100.7, 192.0.2.1, 10.1.2.3"), "192.0.2.1", "a stranger told a proxy");
        assert_eq!(seen("127.0.0.1", "192.0.2.1:4711, [::1]:80"), "192.0.2.1");
        assert_eq!(seen("127.0.0.1", "192.0.2.1, nonsense"), "127.0.0.1");
    }
}
