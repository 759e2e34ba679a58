//! The catalog service as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use kontor_catalog::Config;

/// Products, variants, stock and reservations, over gRPC.
#[derive(Parser)]
#[command(name = "kontor-catalog", version)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

fn main() -> ExitCode {
    let config = Cli::parse().config;
    kontor_runtime::run("kontor-catalog", |stop| async move {
        let listener = kontor_runtime::bind("catalog", config.listen).await?;
        kontor_catalog::serve(config, listener, stop).await
    })
}
