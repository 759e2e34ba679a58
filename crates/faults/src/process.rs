//! One of the services as a process of its own, as its own program would run it.

use std::io::Read;
use std::process::ExitCode;

use clap::Subcommand;
use kontor_runtime::{bind, run as run_service};

/// Which service, with that service's own settings.
#[derive(Subcommand)]
pub(crate) enum Service {
    Auth(kontor_auth::Config),
    Catalog(kontor_catalog::Config),
    Edge(kontor_edge::Config),
    Order(kontor_order::Config),
    SandboxPsp(kontor_sandbox_psp::Config),
}

/// Runs it until it is told to stop, or until whoever started it is gone.
pub(crate) fn run(service: Service) -> ExitCode {
    std::thread::spawn(end_with_the_test);
    match service {
        Service::Auth(config) => run_service("kontor-auth", |stop| async move {
            let listener = bind("auth", config.listen).await?;
            kontor_auth::serve(config, listener, None, stop).await
        }),
        Service::Catalog(config) => run_service("kontor-catalog", |stop| async move {
            let listener = bind("catalog", config.listen).await?;
            kontor_catalog::serve(config, listener, stop).await
        }),
        Service::Edge(config) => run_service("kontor-edge", |stop| async move {
            let listener = bind("edge", config.listen).await?;
            kontor_edge::run(config, listener, axum::Router::new(), stop).await
        }),
        Service::Order(config) => run_service("kontor-order", |stop| async move {
            let listener = bind("order", config.listen).await?;
            kontor_order::serve(config, listener, stop).await
        }),
        Service::SandboxPsp(config) => run_service("kontor-sandbox-psp", |stop| async move {
            let listener = bind("sandbox-psp", config.listen).await?;
            kontor_sandbox_psp::serve(config, listener, stop).await
        }),
    }
}

/// The test holds the other end of standard input: however it ends, its processes end too.
fn end_with_the_test() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}
