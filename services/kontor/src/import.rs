//! `kontor import`: loads a product file into a running Kontor.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_runtime::{Error, peer};
use tokio_util::sync::CancellationToken;

use crate::cli::Import;
use crate::client::{Settings, send, sign_in};
use crate::say;
use crate::up::sample;

/// Loads the file and says what came of it. Fails if products stayed out.
pub async fn run(import: Import, stop: CancellationToken) -> Result<(), Error> {
    let operator = &import.operator;
    let password = operator.password()?;
    let Some(path) = &import.file else {
        return sample::load(&operator.auth_addr, &import.catalog_addr, &operator.admin_email, &password).await;
    };
    let file = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let loading = async {
        let token = sign_in(peer::channel(&operator.auth_addr)?, &operator.admin_email, &password).await?;
        let settings = Settings { currency: import.currency.clone(), dry_run: import.dry_run };
        say(format_args!("sending {} ({} bytes)", path.display(), file.len()));
        send(peer::channel(&import.catalog_addr)?, &token, file, &settings).await
    };
    let report = tokio::select! {
        report = loading => {
            let at = |e| format!("{e} (auth at {}, catalog at {})", operator.auth_addr, import.catalog_addr);
            report.map_err(|error: Error| at(error))?
        }
        () = stop.cancelled() => return Err("stopped; load the file again to be sure of all of it".into()),
    };
    show(&report, import.dry_run);
    match report.products_refused {
        0 => Ok(()),
        refused => Err(format!("{refused} product(s) stayed out").into()),
    }
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
