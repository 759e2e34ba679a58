//! Who calls, and from where.

use std::net::IpAddr;

use kontor_runtime::Caller;
use tonic::Request;

use crate::domain::origin::Origin;
use crate::ops::Who;

/// Who is behind a request. The edge names the address that it was called from in `x-forwarded-for`; others are believed as little as
/// anybody, so what counts is the last address there that is no trusted proxy's.
pub(super) fn who<T>(request: &Request<T>) -> Who {
    let metadata = request.metadata();
    let text = |key| metadata.get(key).and_then(|value| value.to_str().ok());
    let forwarded = text("x-forwarded-for").unwrap_or_default();
    let address = address(request.remote_addr().map(|peer| peer.ip()), forwarded);
    // Behind the edge `user-agent` is the edge's own.
    let user_agent = text("x-forwarded-user-agent").or_else(|| text("user-agent")).unwrap_or_default();
    Who { caller: Caller::of(request), origin: Origin::new(address, user_agent) }
}

fn address(peer: Option<IpAddr>, forwarded: &str) -> Option<IpAddr> {
    let mut hops = forwarded.rsplit(',').map_while(|hop| hop.trim().parse::<IpAddr>().ok());
    let mut at = peer?;
    while is_proxy(at) {
        let Some(before) = hops.next() else { break };
        at = before;
    }
    Some(at.to_canonical())
}

/// The edge beside us.
fn is_proxy(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
