//! The order service as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use kontor_order::Config;

/// Carts and orders, over gRPC.
#[derive(Parser)]
#[command(name = "kontor-order", version)]
struct Cli {
    #[command(flatten)]
    config: Config,
}

fn main() -> ExitCode {
    let config = Cli::parse().config;
    kontor_runtime::run("kontor-order", |stop| async move {
        let listener = kontor_runtime::bind("order", config.listen).await?;
        kontor_order::serve(config, listener, stop).await
    })
}
