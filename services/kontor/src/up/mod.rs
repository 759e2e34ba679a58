//! `kontor up`: the database, the services, the sample catalog, and a word to whoever started it.

mod banner;
mod database;
pub(crate) mod sample;
mod services;

use std::path::Path;

use kontor_runtime::{Error, monitoring};
use tokio_util::sync::CancellationToken;

use crate::cli::Up;
use crate::secrets::Secrets;
use crate::{data_dir, say};

/// Runs everything until `stop`, or until a part of it fails.
pub async fn run(up: Up, stop: CancellationToken) -> Result<(), Error> {
    run_and_tell(up, stop, |_| {}).await
}

/// Like [`run`], and tells when a purchase can be made, with the addresses that were really taken (port 0 asks for a free one).
pub async fn run_and_tell(up: Up, stop: CancellationToken, ready: impl FnOnce(&Up)) -> Result<(), Error> {
    let place = data_dir::prepare(up.data_dir.as_deref())?;
    let secrets = Secrets::load_or_make(&place.path, up.admin_password.clone())?;
    // Addresses that are taken are told before anything is started.
    let sockets = services::bind(&up).await?;
    let up = sockets.settle(&up)?;
    let mut database = database::open(&up, &place.path, &secrets).await?;
    say("starting the services");
    let running = services::start(&up, &secrets, &place.path, &database, sockets);
    let _monitored = monitoring::start(up.process.metrics_addr, running.readiness(), Default::default()).await?;
    let result = serve(running, (&up, &place.path), &secrets, &mut database, (stop, ready)).await;
    say("stopping: the database");
    database.close().await?;
    if result.is_ok() {
        say("stopped");
    }
    result
}

async fn serve(
    mut running: services::Running,
    (up, place): (&Up, &Path),
    secrets: &Secrets,
    database: &mut database::Database,
    (stop, tell): (CancellationToken, impl FnOnce(&Up)),
) -> Result<(), Error> {
    let (hint, readiness) = (database.hint(), running.readiness());
    let ready = async {
        services::wait_until_ready(&readiness).await?;
        if up.sample == "default" {
            sample::load(
                &up.auth_addr.to_string(),
                &up.catalog_addr.to_string(),
                &up.admin_email,
                &secrets.admin_password,
            )
            .await?;
        }
        secrets.keep(up, place).await?;
        banner::show(up, secrets, hint.as_deref());
        secrets.password_is_told(place)?;
        tell(up);
        std::future::pending().await
    };
    let result = tokio::select! {
        failed = ready => failed,
        error = running.failed() => Err(error),
        error = database.failed() => Err(error),
        () = stop.cancelled() => Ok(()),
    };
    running.stop().await;
    result
}
