//! What every service of Kontor does the same way: settings, telemetry, the server stack, access rules,
//! calls to peers, errors on the wire, and the drain at the end.
//!
//! A service is a value, [`Service`]: its settings, migrations, gRPC services, readiness probes and background workers. Running it is
//! one call. Access rules are read from the contract: see [`access`].

pub mod access;
pub mod caller;
mod connections;
pub mod convert;
pub mod events;
pub mod fault;
mod health;
pub mod http_server;
pub mod identity;
mod layers;
mod log_format;
pub mod metrics;
pub mod monitoring;
pub mod peer;
pub mod process;
pub mod program;
pub mod propagation;
pub mod readiness;
pub mod request;
mod sampling;
mod server;
mod service;
pub mod settings;
mod starting;
pub mod telemetry;
pub mod token;
pub mod worker;

pub use caller::{Caller, Standing, Subject};
pub use fault::Fault;
pub use identity::Identity;
pub use peer::Peer;
pub use process::{Error, bind, run};
pub use program::Program;
pub use readiness::Readiness;
pub use server::{Server, ServerError};
pub use service::{Callers, GrpcService, Host, Run, Service};
pub use token::{Claims, Verifier};
pub use worker::{Progress, Worker};

/// The contract, with all its options, as one pool of descriptors.
pub fn contract() -> &'static prost_reflect::DescriptorPool {
    static POOL: std::sync::LazyLock<prost_reflect::DescriptorPool> = std::sync::LazyLock::new(|| {
        // The build made the bytes from the same descriptors, so this can't fail; an empty pool serves nothing.
        prost_reflect::DescriptorPool::decode(kontor_proto::DESCRIPTOR_SET).unwrap_or_default()
    });
    &POOL
}
