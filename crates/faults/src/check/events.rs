//! Events tell all that happened: none is missing, and whoever follows them sees each.

use std::collections::{BTreeMap, BTreeSet};

use kontor_proto::kontor::order::v1::order::State;
use uuid::Uuid;

use super::rows::Event;
use super::{Found, Violations};
use crate::watch::Watched;

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let orders = found.rows.orders.iter().map(|order| (format!("orders/{}", order.id), Some(order.version)));
    whole(&found.rows.order_events, orders.collect(), violations);
    let reservations =
        found.rows.reservations.iter().map(|row| (format!("reservations/{}", row.order_id), row.version));
    whole(&found.rows.catalog_events, reservations.collect(), violations);
    for events in [&found.rows.order_events, &found.rows.catalog_events] {
        positions(events, violations);
    }
    one_end(found, violations);
    if let Some([catalog, order]) = &found.watched {
        seen(&found.rows.catalog_events, catalog, violations);
        seen(&found.rows.order_events, order, violations);
    }
}

/// Each aggregate's versions are 1, 2, .. up to its row's.
fn whole(events: &[Event], rows: BTreeMap<String, Option<i64>>, violations: &mut Violations) {
    let mut versions: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for event in events {
        versions.entry(&event.aggregate).or_default().push(event.version);
    }
    for (aggregate, versions) in &mut versions {
        versions.sort_unstable();
        let gapless = versions.iter().zip(1..).all(|(version, expected)| *version == expected);
        violations.holds(gapless, "events have no gap", || format!("{aggregate}: versions {versions:?}"));
    }
    for (aggregate, version) in rows {
        let last = versions.get(aggregate.as_str()).and_then(|versions| versions.last().copied());
        let is_told = last.is_some() && version.is_none_or(|version| Some(version) == last);
        violations.holds(is_told, "every change has its event", || {
            format!("{aggregate}: its row has version {version:?}, its last event {last:?}")
        });
    }
}

fn positions(events: &[Event], violations: &mut Violations) {
    let mut positions: Vec<_> = events.iter().filter_map(|event| event.position).collect();
    for event in events.iter().filter(|event| event.position.is_none() && !positions.is_empty()) {
        violations.add("every event gets its place", format!("event {} of {}", event.id, event.aggregate));
    }
    positions.sort_unstable();
    for pair in positions.windows(2).filter(|pair| pair[1] != pair[0] + 1) {
        violations.add("the feed has no gap", format!("positions {} and {} follow one another", pair[0], pair[1]));
    }
}

/// An order ends once: one event is the first with a terminal state, and those that follow keep it.
fn one_end(found: &Found, violations: &mut Violations) {
    let mut states: BTreeMap<&str, Vec<State>> = BTreeMap::new();
    for event in &found.rows.order_events {
        states.entry(&event.aggregate).or_default().extend(event.order.as_ref().map(|order| order.state()));
    }
    for order in &found.rows.orders {
        let name = format!("orders/{}", order.id);
        let Some(states) = states.get(name.as_str()) else { continue };
        let ends: BTreeSet<_> = states.iter().filter(|state| **state != State::Processing).collect();
        let ended = states.iter().skip_while(|state| **state == State::Processing);
        let goes_back = ended.clone().any(|state| *state == State::Processing);
        let is_told = states.last().is_some_and(|state| state.as_str_name() == order.state);
        violations.holds(ends.len() <= 1 && !goes_back && is_told, "an order ends once", || {
            let states: Vec<_> = states.iter().map(|state| state.as_str_name()).collect();
            format!("{name} is {}, its events say {states:?}", order.state)
        });
    }
}

/// The watcher saw all of them, those of one subject in the order of their versions.
fn seen(events: &[Event], watched: &Watched, violations: &mut Violations) {
    let ids: BTreeSet<Uuid> = watched.seen.iter().filter_map(|seen| seen.id.parse().ok()).collect();
    for event in events.iter().filter(|event| !ids.contains(&event.id)) {
        violations.add("a watcher misses nothing", format!("event {} of {}", event.id, event.aggregate));
    }
    let written: BTreeSet<Uuid> = events.iter().map(|event| event.id).collect();
    for id in ids.difference(&written) {
        violations.add("a watcher sees what is written", format!("event {id}"));
    }
    let mut last: BTreeMap<&str, i64> = BTreeMap::new();
    for seen in &watched.seen {
        let before = last.insert(&seen.subject, seen.version).unwrap_or_default();
        violations.holds(before < seen.version, "a watcher sees versions in order", || {
            format!("{}: {before} and then {}", seen.subject, seen.version)
        });
    }
    for surprise in &watched.surprises {
        violations.add("a watcher is not refused", surprise.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::super::sound::{broken, sound};
    use super::*;
    use crate::watch::Seen;

    #[test]
    fn a_missing_event_is_noticed_at_the_end_and_in_the_middle() {
        let mut found = sound();
        found.rows.order_events.remove(0);
        assert_eq!(broken(&found), ["events have no gap"]);
        let mut found = sound();
        found.rows.order_events.retain(|event| event.aggregate != format!("orders/{}", found.rows.orders[1].id));
        assert_eq!(broken(&found), ["every change has its event"]);
    }

    #[test]
    fn a_gap_in_the_feed_is_noticed() {
        let mut found = sound();
        let gap = ([Some(1), Some(2), Some(4), Some(5)], "the feed has no gap");
        let placeless = ([Some(1), Some(2), Some(3), None], "every event gets its place");
        for (positions, promise) in [gap, placeless] {
            for (event, position) in found.rows.order_events.iter_mut().zip(positions) {
                event.position = position;
            }
            assert_eq!(broken(&found), [promise], "{positions:?}");
        }
    }

    #[test]
    fn an_order_that_ends_twice_is_noticed() {
        let mut found = sound();
        found.rows.order_events[0].order.as_mut().unwrap().state = State::Rejected.into();
        assert_eq!(broken(&found), ["an order ends once"]);
    }

    #[test]
    fn an_event_that_the_watcher_missed_or_saw_too_early_is_noticed() {
        let mut found = sound();
        let see =
            |event: &Event| Seen { id: event.id.to_string(), subject: event.aggregate.clone(), version: event.version };
        let catalog: Vec<_> = found.rows.catalog_events.iter().map(see).collect();
        let mut order: Vec<_> = found.rows.order_events.iter().map(see).collect();
        found.watched = Some([Watched::of(catalog.clone()), Watched::of(order.clone())]);
        assert_eq!(broken(&found), Vec::<&str>::new());
        order.swap(0, 1);
        found.watched = Some([Watched::of(catalog.clone()), Watched::of(order.clone())]);
        assert_eq!(broken(&found), ["a watcher sees versions in order"]);
        order.remove(3);
        order.swap(0, 1);
        found.watched = Some([Watched::of(catalog), Watched::of(order)]);
        assert_eq!(broken(&found), ["a watcher misses nothing"]);
    }
}
