//! What the commands ask of a running Kontor, over gRPC.

use kontor_proto::google::api::HttpBody;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_proto::kontor::auth::v1::{
    ListSigningKeysRequest, RotateSigningKeyRequest, SignInRequest, SigningKey, sign_in_response,
};
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_runtime::Error;
use secrecy::{ExposeSecret, SecretString};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// How many bytes of the file go into one message.
const PIECE: usize = 256 * 1024;

/// How a file is to be taken.
pub(crate) struct Settings {
    pub(crate) currency: String,
    pub(crate) dry_run: bool,
}

/// An access token for an e-mail address and a password.
pub(crate) async fn sign_in(auth: Channel, email: &str, password: &SecretString) -> Result<String, Error> {
    let request = SignInRequest { email: email.into(), password: password.expose_secret().into() };
    let answer =
        AuthenticationServiceClient::new(auth).sign_in(request).await.map_err(|status| said("auth", &status))?;
    match answer.into_inner().result {
        Some(sign_in_response::Result::Tokens(tokens)) => Ok(tokens.access_token),
        Some(sign_in_response::Result::Challenge(_)) => {
            Err("this account has a second factor, which this command does not ask for; use one without".into())
        }
        None => Err("auth answered nothing".into()),
    }
}

/// Makes a new signing key, or answers the one that waits already.
pub(crate) async fn rotate(auth: Channel, token: &str, compromised: bool) -> Result<SigningKey, Error> {
    let request = with_token(token, RotateSigningKeyRequest { compromised })?;
    let answer = TokenServiceClient::new(auth).rotate_signing_key(request).await;
    Ok(answer.map_err(|status| said("auth", &status))?.into_inner())
}

pub(crate) async fn signing_keys(auth: Channel, token: &str) -> Result<Vec<SigningKey>, Error> {
    let request = with_token(token, ListSigningKeysRequest {})?;
    let answer = TokenServiceClient::new(auth).list_signing_keys(request).await;
    Ok(answer.map_err(|status| said("auth", &status))?.into_inner().signing_keys)
}

fn with_token<T>(token: &str, message: T) -> Result<Request<T>, Error> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    Ok(request)
}

/// Sends the file and waits for the report.
pub(crate) async fn send(
    catalog: Channel,
    token: &str,
    file: Vec<u8>,
    settings: &Settings,
) -> Result<pb::ImportProductsResponse, Error> {
    let (currency_code, validate_only) = (settings.currency.clone(), settings.dry_run);
    let pieces: Vec<_> = file.chunks(PIECE).map(|piece| message(piece, &currency_code, validate_only)).collect();
    let mut request = with_token(token, tokio_stream::iter(pieces))?;
    request.set_timeout(std::time::Duration::from_secs(300));
    let answer = ProductServiceClient::new(catalog).import_products(request).await;
    Ok(answer.map_err(|status| said("catalog", &status))?.into_inner())
}

fn message(piece: &[u8], currency_code: &str, validate_only: bool) -> pb::ImportProductsRequest {
    let file = HttpBody { content_type: "text/csv".into(), data: piece.to_vec().into() };
    let request_id = String::new();
    pb::ImportProductsRequest { file: Some(file), currency_code: currency_code.into(), validate_only, request_id }
}

fn said(who: &str, status: &Status) -> Error {
    format!("{who}: {}", status.message()).into()
}
