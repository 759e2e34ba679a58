//! What one run is to reach.

use std::path::PathBuf;
use std::time::Duration;

use kontor_runtime::Error;

use crate::cli::Settings;

/// What one run is to reach, and by which dice.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) orders: u64,
    pub(crate) deaths: u64,
    pub(crate) database_stops: u64,
    pub(crate) buyers: u32,
    /// The program whose services are tested: this one, or one with a mutant in it.
    pub(crate) program: PathBuf,
    /// Whether it does without what it has not reached when its time is up.
    pub(crate) is_brief: bool,
    /// How long the acknowledged orders may take to their ends after the last fault.
    pub(crate) rest_max: Duration,
    /// How long callers may insist after that, and orders that nobody was told of take to their ends.
    pub(crate) settle_max: Duration,
    /// How long orders and faults may go on; not reaching what is to be reached is a failure.
    pub(crate) faults_max: Duration,
}

const FIXED_SEED: u64 = 20_260_101;

impl Plan {
    pub(crate) fn of(settings: &Settings) -> Result<Self, Error> {
        let plan = Self {
            seed: settings.seed.unwrap_or_else(|| rand::random_range(0..1_000_000)),
            orders: settings.orders,
            deaths: settings.deaths,
            database_stops: settings.database_stops,
            buyers: settings.buyers,
            program: std::env::current_exe()?,
            is_brief: false,
            rest_max: Duration::from_secs(60),
            settle_max: Duration::from_secs(120),
            faults_max: Duration::from_secs(4 * 60 * 60),
        };
        if settings.short {
            return Ok(Self { seed: FIXED_SEED, orders: 300, deaths: 25, database_stops: 2, ..plan });
        }
        Ok(plan)
    }

    pub(crate) fn brief(&self, round: u64) -> Self {
        Self {
            seed: self.seed + round,
            orders: 250,
            deaths: 15,
            database_stops: 1,
            is_brief: true,
            rest_max: Duration::from_secs(20),
            settle_max: Duration::from_secs(5),
            faults_max: Duration::from_secs(40),
            ..self.clone()
        }
    }
}
