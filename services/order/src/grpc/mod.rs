//! Carts and orders on the wire.

mod carts;
mod error;
mod events;
mod orders;
mod parse;

use kontor_postgres::outbox::Feed;
use kontor_proto::kontor::order::v1::cart_service_server::CartServiceServer;
use kontor_proto::kontor::order::v1::order_event_service_server::OrderEventServiceServer;
use kontor_proto::kontor::order::v1::order_service_server::OrderServiceServer;
use kontor_runtime::Server;
use tonic::codec::CompressionEncoding::Gzip;

use crate::ops::Orders;

/// Adds the gRPC services of carts and orders to a server.
pub(crate) fn add_to(server: Server, orders: Orders, events: Feed) -> Server {
    server
        .with(CartServiceServer::new(carts::Carts(orders.clone())).accept_compressed(Gzip).send_compressed(Gzip))
        .with(OrderServiceServer::new(orders::OrderApi(orders)).accept_compressed(Gzip).send_compressed(Gzip))
        .with(OrderEventServiceServer::new(events::EventApi(events)).accept_compressed(Gzip).send_compressed(Gzip))
}
