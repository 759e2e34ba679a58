//! The edge as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use kontor_edge::Config;

/// One HTTP address for every service of Kontor.
#[derive(Parser)]
#[command(name = "kontor-edge", version)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

fn main() -> ExitCode {
    let config = Cli::parse().config;
    kontor_runtime::run("kontor-edge", |stop| async move {
        let listener = kontor_runtime::bind("edge", config.listen).await?;
        kontor_edge::run(config, listener, axum::Router::new(), stop).await
    })
}
