//! Why the edge can't start: each is a mistake in the contract or in the settings.

/// A contract that can't be served over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the descriptor set can't be read: {0}")]
    Descriptors(#[from] prost_reflect::DescriptorError),
    /// A method has a route, but no rule that says who may call it.
    #[error("{method} has an HTTP route, but no kontor.access.v1.rule")]
    NoRule { method: String },
    #[error("{method} has an HTTP route, but the package {package} has no upstream")]
    NoUpstream { method: String, package: String },
    #[error("{method}: the HTTP route {route:?} {reason}")]
    Route { method: String, route: String, reason: String },
    #[error("{first} and {second} have the same HTTP route {route:?}")]
    Collision {
        first: String,
        second: String,
        /// The path template of the second.
        route: String,
    },
}
