//! What failpoints do when they are enabled: as the environment of the process says.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::At;

struct Plan {
    kill: f64,
    pause: f64,
    pause_for: Duration,
    only: String,
    dice: Mutex<StdRng>,
}

static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| {
    let plans = std::env::var("KONTOR_FAILPOINTS").unwrap_or_default();
    plans.split(';').map(Plan::parse).collect()
});

pub(crate) async fn pass(step: &'static str, at: At) {
    for plan in PLANS.iter().filter(|plan| step.starts_with(&plan.only)) {
        follow(plan, step, at).await;
    }
}

#[expect(clippy::float_arithmetic, reason = "probabilities, not money")]
async fn follow(plan: &Plan, step: &'static str, at: At) {
    let roll: f64 = plan.dice.lock().unwrap_or_else(PoisonError::into_inner).random();
    if roll < plan.kill {
        tracing::warn!(failpoint = step, ?at, "dies at a failpoint");
        std::process::abort();
    }
    if roll < plan.kill + plan.pause {
        tracing::warn!(failpoint = step, ?at, "pauses at a failpoint");
        tokio::time::sleep(plan.pause_for).await;
    }
}

impl Plan {
    /// What is not said stays off; what can't be read is off too: the fault test counts what really happened.
    fn parse(text: &str) -> Self {
        let value = |name: &str| {
            let mut settings = text.split(',').filter_map(|setting| setting.split_once('='));
            settings.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let number = |name: &str| value(name).and_then(|value| value.parse::<f64>().ok()).unwrap_or_default();
        let whole = |name: &str| value(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
        Self {
            kill: number("kill"),
            pause: number("pause"),
            pause_for: Duration::from_millis(whole("pause_ms")),
            only: value("only").unwrap_or_default().to_owned(),
            dice: Mutex::new(StdRng::seed_from_u64(whole("seed"))),
        }
    }
}
