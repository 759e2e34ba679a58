//! Kontor's contract, compiled from `proto/`: messages, clients, servers, the checks of single messages, and
//! the descriptor set from which routes, access rules and documents follow. Nothing here is written twice.
//!
//! Every message that reaches a server through the generated code has been checked against the rules of the
//! contract already: see [`codec`].

#![expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::needless_update,
    clippy::too_many_lines,
    reason = "all but this file and three modules is generated"
)]

pub mod codec;
pub mod rules;
pub mod status;

/// Kontor's own packages.
pub mod kontor {
    /// Who may call a method.
    pub mod access {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("kontor.access.v1");
        }
    }
    /// Signing in, users, keys.
    pub mod auth {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("kontor.auth.v1");
        }
    }
    /// Products, variants, stock.
    pub mod catalog {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("kontor.catalog.v1");
        }
    }
    /// Why calls fail.
    pub mod error {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("kontor.error.v1");
        }
    }
    /// Carts and orders.
    pub mod order {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("kontor.order.v1");
        }
    }
    /// What a payment provider implements.
    pub mod payment {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("kontor.payment.v1");
        }
    }
}

/// The few of Google's published types that the contract uses.
pub mod google {
    /// HTTP bodies.
    pub mod api {
        tonic::include_proto!("google.api");
    }
    /// Money and addresses.
    pub mod r#type {
        include!(concat!(env!("OUT_DIR"), "/google.r#type.rs"));
    }
}

/// The whole contract as an encoded `google.protobuf.FileDescriptorSet`, with options and comments.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor_set.bin"));

include!(concat!(env!("OUT_DIR"), "/rules.rs"));
include!(concat!(env!("OUT_DIR"), "/redact.rs"));
