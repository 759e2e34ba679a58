//! What the command line asks for: one run, or runs for each mutant, a patch that breaks one rule on purpose.

mod build;
mod patch;
mod source;

use std::collections::BTreeSet;

use kontor_runtime::Error;

use crate::cli::Settings;
use crate::folder::Folder;
use crate::plan::Plan;
use crate::run::run;
use crate::{report, say};
pub(crate) use patch::Mutant;

/// How many short runs a broken rule may go unnoticed.
const ROUNDS: u64 = 6;

/// What a run may break by being cut short, and so no proof that a broken rule was noticed.
const MATTERS_OF_TIME: [&str; 7] = [
    "every event gets its place",
    "an answered order ends in time",
    "every order ends",
    "every refund ends",
    "nothing is held at rest",
    "no call is refused without reason",
    "a watcher misses nothing",
];

/// True if all went as it should.
pub(crate) async fn run_or_test(settings: &Settings) -> Result<bool, Error> {
    let plan = Plan::of(settings)?;
    say(format_args!("seed {}", plan.seed));
    match &settings.mutant {
        Some(mutant) => all(std::slice::from_ref(mutant), &plan, settings).await,
        None if settings.mutants => all(&Mutant::all()?, &plan, settings).await,
        None => once(&plan, settings).await,
    }
}

async fn once(plan: &Plan, settings: &Settings) -> Result<bool, Error> {
    let folder = Folder::make(settings.dir.as_deref(), &format!("seed-{}", plan.seed))?;
    say(format_args!(
        "{} orders by {} buyers, {} deaths, {} database stops; logs in {}",
        plan.orders,
        plan.buyers,
        plan.deaths,
        plan.database_stops,
        folder.path().join("logs").display()
    ));
    let outcome = match run(plan, &folder, false).await {
        Ok(outcome) => outcome,
        Err(error) => return Err(format!("{error}; logs are in {}", folder.path().display()).into()),
    };
    let passed = report::tell(plan, &outcome);
    if passed && !settings.keep {
        folder.remove();
    } else {
        say(format_args!("logs, journal and database are kept in {}", folder.path().display()));
    }
    Ok(passed)
}

async fn all(mutants: &[Mutant], plan: &Plan, settings: &Settings) -> Result<bool, Error> {
    let mut all_caught = control(plan, settings).await?;
    say(format_args!("{:<28} {:<7} noticed by", "broken rule", "rounds"));
    for mutant in mutants {
        let mutated = Plan { program: build::build(mutant).await?, ..plan.clone() };
        let (rounds, promises) = hunt(mutant, &mutated, settings).await?;
        let noticed = if promises.is_empty() { "NOT NOTICED".to_owned() } else { promises.join("; ") };
        say(format_args!("{:<28} {rounds:<7} {noticed}", mutant.name()));
        all_caught &= !promises.is_empty();
    }
    if !all_caught {
        say("a rule was broken and the test did not notice, or none was and it did: the test is not worth its name");
    }
    Ok(all_caught)
}

/// A run like those of the mutants, of the program that ships: what it noticed would be no sign of a broken rule.
async fn control(plan: &Plan, settings: &Settings) -> Result<bool, Error> {
    let promises = noticed(&plan.brief(0), "control", settings).await?;
    let noticed = if promises.is_empty() { "nothing, as it should be".to_owned() } else { promises.join("; ") };
    say(format_args!("{:<28} {:<7} {noticed}", "(none)", 1));
    Ok(promises.is_empty())
}

/// Short runs with a broken rule, until a promise is seen to be broken.
async fn hunt(mutant: &Mutant, plan: &Plan, settings: &Settings) -> Result<(u64, Vec<&'static str>), Error> {
    for round in 0..ROUNDS {
        let name = format!("{}-{round}", mutant.name());
        let promises = noticed(&plan.brief(round), &name, settings).await?;
        if !promises.is_empty() {
            return Ok((round + 1, promises));
        }
    }
    Ok((ROUNDS, Vec::new()))
}

/// The promises that a brief run sees broken.
async fn noticed(plan: &Plan, name: &str, settings: &Settings) -> Result<Vec<&'static str>, Error> {
    let folder = Folder::make(settings.dir.as_deref(), name)?;
    let outcome = run(plan, &folder, true).await?;
    if settings.keep {
        say(format_args!("{} is kept", folder.path().display()));
        for violation in outcome.violations.iter().take(20) {
            say(format_args!("  {}: {}", violation.promise, violation.what));
        }
    } else {
        folder.remove();
    }
    let promises: BTreeSet<_> = outcome.violations.iter().map(|violation| violation.promise).collect();
    Ok(promises.into_iter().filter(|promise| !MATTERS_OF_TIME.contains(promise)).collect())
}
