//! The edge: HTTP/JSON in, gRPC out. It knows no service by hand: routes, bodies, parameters and access all come from
//! the contract's descriptors, so that a new RPC needs no change here.
//!
//! A request goes `handler` → `tree` (which route) → `request` (body, path, query and headers as one message) →
//! `call` or `upload` → `response`. Whatever goes wrong on the way is a `problem`: one shape for all errors.

mod body;
mod call;
mod codec;
mod codes;
mod config;
mod error;
mod fields;
mod handler;
mod http_body;
mod limits;
mod mailbox;
mod members;
mod metrics;
mod origin;
mod percent;
mod problem;
mod query;
mod read_json;
mod ready;
mod request;
mod response;
mod rest;
mod route;
mod routes;
mod status;
mod template;
#[cfg(test)]
mod testing;
mod trace;
mod tree;
mod upload;
mod upstreams;
mod write_json;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use prost_reflect::DescriptorPool;

pub use config::{Config, main, service};
pub use error::Error;
pub use kontor_runtime::http_server::serve;
pub use upstreams::Upstreams;

use crate::handler::Setup;

/// The HTTP face of the services.
#[derive(Debug)]
pub struct Edge {
    setup: Setup,
    upstreams: Upstreams,
}

impl Edge {
    /// From an encoded `google.protobuf.FileDescriptorSet` with its options. Methods that other services alone may
    /// call get no route.
    ///
    /// # Errors
    ///
    /// Whatever in the contract can't be served is told now and not by the first request: see [`Error`].
    pub fn new(descriptor_set: &[u8], upstreams: Upstreams) -> Result<Self, Error> {
        let pool = DescriptorPool::decode(descriptor_set)?;
        let routes = routes::routes(&pool, &upstreams)?;
        Ok(Self { setup: Setup { routes, call_timeout: limits::CALL_TIMEOUT }, upstreams })
    }

    /// How long a call may take, other than 15 seconds. Uploads have five minutes.
    #[must_use]
    pub fn with_call_timeout(mut self, call_timeout: Duration) -> Self {
        self.setup.call_timeout = call_timeout;
        self
    }

    /// All routes of the contract, with `/livez` and `/readyz`.
    pub fn router(self) -> Router {
        let probes = Router::new()
            .route("/livez", get(ready::live).fallback(ready::not_get))
            .route("/readyz", get(ready::ready).fallback(ready::not_get))
            .with_state(self.upstreams);
        let contract = Router::new().fallback(handler::handle).with_state(Arc::new(self.setup));
        probes.merge(contract)
    }
}
