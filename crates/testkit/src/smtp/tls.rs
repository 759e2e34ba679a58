//! The certificate of the server, whose authority only tests trust.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate of the authority that has signed the server's.
pub(super) fn authority() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/authority.pem"))
}

pub(super) fn acceptor() -> TlsAcceptor {
    let certificate = include_bytes!("../../certificates/localhost.pem");
    let certificate = CertificateDer::from_pem_slice(certificate).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../../certificates/localhost.key.pem")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key));
    TlsAcceptor::from(Arc::new(config.expect("a key that fits the certificate")))
}
