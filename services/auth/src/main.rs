//! The service auth as a process of its own.

use std::process::ExitCode;

use clap::Parser;

/// Accounts: signing up and in, tokens, the keys that verify them.
#[derive(Parser)]
#[command(name = "kontor-auth", version, about)]
struct Cli {
    #[command(flatten)]
    config: kontor_auth::Config,
}

fn main() -> ExitCode {
    let Cli { config } = Cli::parse();
    kontor_runtime::run("kontor-auth", |stop| async move {
        let listener = kontor_runtime::bind("auth", config.listen).await?;
        kontor_auth::serve(config, listener, None, stop).await
    })
}
