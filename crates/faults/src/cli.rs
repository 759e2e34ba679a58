//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::mutants::Mutant;
use crate::process::Service;

/// Shows that Kontor never oversells, never charges twice and never loses an accepted order.
///
/// It starts all services as processes on a Postgres of their own, buys, cancels and refunds through them, and meanwhile kills and freezes
/// processes, cuts and delays connections, and stops the database. Then it lets everything come to rest and compares every answer
/// that was given with what the services and the payment provider have written down.
///
/// Exit code 0: all held, and every kind of fault was there. 1: something did not hold, or was not tried; what, and where
/// the logs are, stands at the end. 2: the test itself could not run.
#[derive(Parser)]
#[command(name = "kontor-faults", bin_name = "cargo faults", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

const EXAMPLES: &str = "\
Examples:
  cargo faults                                    some minutes of faults
  cargo faults --short                            a minute, always with the same seed
  cargo faults --orders 10000 --deaths 500 --database-stops 20 --buyers 160
                                                  until all of that is reached: a quarter of an hour on two cores
  cargo faults --seed 42                          the same dice again; how threads and sockets interleave differs each time
  cargo faults --mutants                          builds and tests one mutant after the other, and wants each to be noticed;
                                                  each is a patch in crates/faults/mutants that breaks one rule

Postgres is taken from the machine, or downloaded. Nothing but loopback addresses is used, and nothing is left behind
unless something did not hold.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// One of the services; the test starts them by this
    #[command(hide = true)]
    Process(Process),
}

#[derive(Args)]
pub(crate) struct Process {
    #[command(subcommand)]
    pub(crate) service: Service,
}

/// How long, how hard, and what.
#[derive(Args, Clone, Debug)]
pub(crate) struct Settings {
    /// Orders to try, at least
    #[arg(long, default_value_t = 2000)]
    pub(crate) orders: u64,
    /// Deaths of processes to reach, by kill -9 and at failpoints
    #[arg(long, default_value_t = 150)]
    pub(crate) deaths: u64,
    /// Crashes of the database to reach
    #[arg(long, default_value_t = 5)]
    pub(crate) database_stops: u64,
    /// Buyers at the same time
    #[arg(long, default_value_t = 24)]
    pub(crate) buyers: u32,
    /// What the dice begin with; drawn and told if it is left out
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// About a minute, with a fixed seed: for CI
    #[arg(long, conflicts_with_all = ["orders", "deaths", "database_stops", "seed", "mutants", "mutant"])]
    pub(crate) short: bool,
    /// Build each mutant in turn, and want its broken rule to be noticed
    #[arg(long, conflicts_with = "mutant")]
    pub(crate) mutants: bool,
    /// Build one mutant, and want its broken rule to be noticed
    #[arg(long, value_name = "NAME", value_parser = Mutant::from_name)]
    pub(crate) mutant: Option<Mutant>,
    /// Where logs, journal and database lie during the run [default: a new folder among the temporary ones]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Keep that folder though all held
    #[arg(long)]
    pub(crate) keep: bool,
}
