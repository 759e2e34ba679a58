//! Measures what accounts cost. `cargo run --release -p kontor-bench -- --help`

mod accounts;
mod revocations;
mod sign_ins;
mod stack;
mod table;
mod verify;

use clap::{Parser, Subcommand};
use kontor_runtime::Error;

#[derive(Parser)]
#[command(name = "kontor-bench")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Verifying access tokens: the first time, and those that were seen before
    Verify {
        #[arg(long, default_value_t = 10_000)]
        tokens: usize,
    },
    /// From the answer to a sign-out until the session's access token is refused
    Revocations {
        #[arg(long, default_value_t = 200)]
        count: usize,
    },
    /// Sign-ins per second, beside what the password hash alone allows
    SignIns {
        /// For how many seconds each
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let table = match Cli::parse().what {
        What::Verify { tokens } => verify::run(tokens).await?,
        What::Revocations { count } => revocations::run(count).await?,
        What::SignIns { seconds } => sign_ins::run(std::time::Duration::from_secs(seconds)).await?,
    };
    table.print()?;
    Ok(())
}
