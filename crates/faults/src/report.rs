//! The report: what was tried, what went wrong on purpose, and what did not hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::nemesis::Kind;
use crate::plan::Plan;
use crate::run::Outcome;
use crate::say;

/// More violations of one promise than that are not listed.
const LISTED_MAX: usize = 5;

/// What clients heard less often than others is not listed.
const SILENCES_MAX: usize = 8;

struct Line {
    label: String,
    count: u64,
    /// Whether a run in which it is zero shows nothing.
    must: bool,
}

fn line(label: impl Into<String>, count: u64) -> Line {
    Line { label: label.into(), count, must: true }
}

impl Line {
    fn free(self) -> Self {
        Self { must: false, ..self }
    }

    fn is_missing(&self) -> bool {
        self.must && self.count == 0
    }
}

/// Tells it. True if all held and everything was tried.
pub(crate) fn tell(plan: &Plan, outcome: &Outcome) -> bool {
    let tables =
        [("orders", orders(outcome)), ("faults", faults(outcome)), ("what they led to", consequences(outcome))];
    for (title, lines) in &tables {
        say("");
        say(title);
        for line in lines {
            let mark = if line.is_missing() { "   <- none" } else { "" };
            say(format_args!("  {:<44}{:>9}{mark}", line.label, line.count));
        }
    }
    let missing: Vec<_> =
        tables.iter().flat_map(|(_, lines)| lines).filter(|line| line.is_missing()).map(|line| &line.label).collect();
    silences(outcome);
    say("");
    say(format_args!("{} s in all, seed {}", outcome.took.as_secs(), plan.seed));
    for label in &missing {
        say(format_args!("NOT TRIED: {label}; a run without it shows nothing"));
    }
    violations(outcome);
    missing.is_empty() && outcome.violations.is_empty()
}

/// What clients most often heard in place of an answer.
fn silences(outcome: &Outcome) {
    let mut silences: Vec<_> = outcome.found.told.silences.iter().collect();
    silences.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    say("");
    say("in place of an answer, clients heard");
    for (what, count) in silences.iter().take(SILENCES_MAX) {
        say(format_args!("  {what:<62} {count:>9}"));
    }
}

fn violations(outcome: &Outcome) {
    if outcome.violations.is_empty() {
        say("violations: none");
        return;
    }
    let mut promises: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for violation in &outcome.violations {
        promises.entry(violation.promise).or_default().push(&violation.what);
    }
    say(format_args!("VIOLATIONS: {}", outcome.violations.len()));
    for (promise, cases) in promises {
        say(format_args!("  {promise}: {}", cases.len()));
        for what in cases.iter().take(LISTED_MAX) {
            say(format_args!("    {what}"));
        }
    }
}

fn count(items: impl Iterator) -> u64 {
    u64::try_from(items.count()).unwrap_or(u64::MAX)
}

fn orders(outcome: &Outcome) -> Vec<Line> {
    let found = &outcome.found;
    let state = |state: &str| count(found.rows.orders.iter().filter(|order| order.state == state));
    let acknowledged: BTreeSet<_> = found.told.acks.iter().map(|ack| &ack.order).collect();
    let refunded: BTreeSet<_> = found.told.refunds.iter().map(|refund| &refund.order).collect();
    vec![
        line("tried", outcome.tried),
        line("acknowledged", count(acknowledged.iter())),
        line("completed", state("COMPLETED")),
        line("rejected", state("REJECTED")),
        line("cancelled", state("CANCELLED")),
        line("refunded", count(refunded.iter())),
        line("told out of stock", found.told.told_out_of_stock),
    ]
}

fn faults(outcome: &Outcome) -> Vec<Line> {
    let (deaths, deeds, logs) = (&outcome.deaths, &outcome.deeds, &outcome.found.logs);
    let kills = ["auth", "catalog-1", "catalog-2", "edge", "order-1", "order-2", "sandbox-psp"].map(|name| {
        let killed = deaths.kills.get(name).copied().unwrap_or_default();
        line(format!("kill -9 of {name}"), killed)
    });
    let boundaries = ["deaths before a step", "deaths inside a transaction", "deaths after a step"];
    let boundaries = boundaries.map(|what| line(what, logs.count(what)));
    let others = [
        line("freezes of processes, longer than a lease", deeds.of(Kind::Freeze)),
        line("cuts of connections", deeds.of(Kind::Cut)),
        line("delays", deeds.of(Kind::Delay)),
        line("black holes", deeds.of(Kind::BlackHole)),
        line("strandings of half the connections", deeds.of(Kind::Strand)),
        line("database stops", deeds.of(Kind::DatabaseStop)),
        line("starts in vain, the database being away", deaths.in_vain).free(),
    ];
    kills.into_iter().chain(boundaries).chain(others).collect()
}

fn consequences(outcome: &Outcome) -> Vec<Line> {
    let (told, logs) = (&outcome.found.told, &outcome.found.logs);
    let logged = |what| line(what, logs.count(what));
    let mut lines = vec![
        line("calls sent again by clients", told.retries),
        logged("replays"),
        logged("take-overs"),
        logged("fenced writes"),
        logged("late reserves refused"),
        logged("expired holds"),
    ];
    let rows = &outcome.found.rows;
    lines.push(line("entries of histories compared", count(rows.history.iter())));
    let placed = rows.order_events.iter().chain(&rows.catalog_events).filter(|event| event.position.is_some());
    lines.push(line("events with a place in the feed", count(placed)));
    if let Some([catalog, order]) = &outcome.found.watched {
        lines.push(line("event streams opened", catalog.streams + order.streams));
        lines.push(line("events seen", count(catalog.seen.iter().chain(&order.seen))));
        lines.push(line("events seen again", catalog.again + order.again).free());
    }
    lines
}
