//! One of the services as a process of its own, as its own program would run it.

use std::io::Read;
use std::process::ExitCode;

use clap::Subcommand;
use kontor_runtime::settings::ProcessSettings;

#[derive(Subcommand)]
pub(crate) enum Service {
    Auth(kontor_auth::Config),
    Catalog(kontor_catalog::Config),
    Edge(kontor_edge::Config),
    Order(kontor_order::Config),
    SandboxPsp(kontor_sandbox_psp::Config),
}

/// Runs it until it is told to stop, or until the test is gone.
pub(crate) fn run(service: Service) -> ExitCode {
    std::thread::spawn(end_with_the_test);
    let service = match service {
        Service::Auth(config) => kontor_auth::service(config, None),
        Service::Catalog(config) => kontor_catalog::service(config),
        Service::Edge(config) => kontor_edge::service(config, axum::Router::new()),
        Service::Order(config) => kontor_order::service(config),
        Service::SandboxPsp(config) => kontor_sandbox_psp::service(config),
    };
    service.run(&ProcessSettings::default())
}

/// The test holds the other end of standard input: however it ends, its processes end too.
fn end_with_the_test() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    std::process::exit(0);
}
