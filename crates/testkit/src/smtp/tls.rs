//! The server's certificate, from a certificate authority of its own.

use std::io::Write;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// A new authority as a PEM file, and an acceptor with a certificate that it has signed.
pub(super) fn acceptor() -> (NamedTempFile, TlsAcceptor) {
    let authority = authority();
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(authority.pem().as_bytes()).expect("space for a certificate");

    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("valid names");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key.into()));
    (file, TlsAcceptor::from(Arc::new(config.expect("a key that fits the certificate"))))
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "kontor-testkit certificate authority");
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}
