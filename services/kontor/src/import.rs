//! `kontor import`: loads a product file into a running Kontor.

use kontor_proto::google::api::HttpBody;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_proto::kontor::auth::v1::{SignInRequest, sign_in_response};
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_runtime::{Error, peer};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::cli::Import;
use crate::say;
use crate::up::{Secrets, data_dir};

/// How many bytes of the file go into one message.
const PIECE: usize = 256 * 1024;

/// How a file is to be taken.
pub(crate) struct Settings {
    pub(crate) currency: String,
    pub(crate) dry_run: bool,
}

/// Loads the file and says what came of it. Fails if products stayed out.
pub async fn run(import: Import, stop: CancellationToken) -> Result<(), Error> {
    let file = std::fs::read(&import.file).map_err(|error| format!("{}: {error}", import.file.display()))?;
    let password = match import.admin_password.clone() {
        Some(password) => password,
        None => kept_password(&import)?,
    };
    let loading = async {
        let token = sign_in(peer::channel(&import.auth_addr)?, &import.admin_email, &password).await?;
        let settings = Settings { currency: import.currency.clone(), dry_run: import.dry_run };
        say(format_args!("sending {} ({} bytes)", import.file.display(), file.len()));
        send(peer::channel(&import.catalog_addr)?, &token, file, &settings).await
    };
    let report = tokio::select! {
        report = loading => report?,
        () = stop.cancelled() => return Err("stopped; load the file again to be sure of all of it".into()),
    };
    show(&report, import.dry_run);
    match report.products_refused {
        0 => Ok(()),
        refused => Err(format!("{refused} product(s) stayed out").into()),
    }
}

fn kept_password(import: &Import) -> Result<SecretString, Error> {
    let secrets = Secrets::load(&data_dir(import.data_dir.as_deref())?)?;
    let secrets = secrets.ok_or("who loads it? give --admin-password, or the --data-dir of `kontor up`")?;
    Ok(secrets.admin_password)
}

/// An access token for an e-mail address and a password.
pub(crate) async fn sign_in(auth: Channel, email: &str, password: &SecretString) -> Result<String, Error> {
    let request = SignInRequest { email: email.into(), password: password.expose_secret().into() };
    let answer =
        AuthenticationServiceClient::new(auth).sign_in(request).await.map_err(|status| said("auth", &status))?;
    match answer.into_inner().result {
        Some(sign_in_response::Result::Tokens(tokens)) => Ok(tokens.access_token),
        None => Err("auth asks for something that this command can't give".into()),
    }
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
    let mut request = Request::new(tokio_stream::iter(pieces));
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    request.set_timeout(std::time::Duration::from_secs(300));
    let answer = ProductServiceClient::new(catalog).import_products(request).await;
    Ok(answer.map_err(|status| said("catalog", &status))?.into_inner())
}

fn message(piece: &[u8], currency_code: &str, validate_only: bool) -> pb::ImportProductsRequest {
    let file = HttpBody { content_type: "text/csv".into(), data: piece.to_vec().into() };
    pb::ImportProductsRequest { file: Some(file), currency_code: currency_code.into(), validate_only }
}

fn said(who: &str, status: &Status) -> Error {
    format!("{who}: {}", status.message()).into()
}

fn show(report: &pb::ImportProductsResponse, dry_run: bool) {
    say(if dry_run { "what would be done:" } else { "done:" });
    say(format_args!("{:12}{:>9}{:>9}{:>11}{:>9}", "", "created", "updated", "unchanged", "refused"));
    let (c, u, s) = (report.products_created, report.products_updated, report.products_unchanged);
    say(format_args!("{:12}{c:>9}{u:>9}{s:>11}{:>9}", "products", report.products_refused));
    let (c, u, s) = (report.variants_created, report.variants_updated, report.variants_unchanged);
    say(format_args!("{:12}{c:>9}{u:>9}{s:>11}", "variants"));
    for issue in &report.issues {
        let kind = match issue.severity() {
            pb::import_issue::Severity::Warning => "warning",
            pb::import_issue::Severity::Error | pb::import_issue::Severity::Unspecified => "error",
        };
        say(format_args!("{kind:<8} line {:<6} {:<22} {}", issue.line, issue.column, issue.message));
    }
    let more = report.issue_count - i32::try_from(report.issues.len()).unwrap_or(i32::MAX);
    if more > 0 {
        say(format_args!("and {more} more"));
    }
}
