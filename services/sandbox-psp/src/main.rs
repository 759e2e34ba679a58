//! The sandbox payment provider as a process of its own.

use std::process::ExitCode;

use clap::Parser;
use kontor_sandbox_psp::{Config, serve};

/// A payment provider to test against.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    config: Config,
}

fn main() -> ExitCode {
    let Args { config } = Args::parse();
    kontor_runtime::run("kontor-sandbox-psp", async |stop| {
        let listener = kontor_runtime::bind("kontor-sandbox-psp", config.listen).await?;
        serve(config, listener, stop).await
    })
}
