//! What buyers were told is true, and stays true.

use std::collections::{BTreeMap, BTreeSet};

use kontor_proto::kontor::order::v1::order::State;

use super::{Found, Violations};

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let orders = found.orders();
    let (mut by_key, mut by_order): (BTreeMap<_, BTreeSet<_>>, BTreeMap<_, BTreeSet<_>>) = Default::default();
    let (mut missing, mut changed) = (BTreeSet::new(), BTreeSet::new());
    for ack in &found.told.acks {
        by_key.entry(ack.key).or_default().insert(ack.order.as_str());
        by_order.entry(ack.order.as_str()).or_default().insert(ack.key);
        let order = ack.order.strip_prefix("orders/").and_then(|id| id.parse().ok()).and_then(|id| orders.get(&id));
        let Some(order) = order else {
            missing.insert(ack.order.as_str());
            continue;
        };
        let is_final = ack.state != State::Processing;
        if (is_final && ack.state.as_str_name() != order.state) || ack.total_minor != order.total_minor {
            let (state, total) = (ack.state.as_str_name(), ack.total_minor);
            changed
                .insert(format!("{}: told {state} of {total}, is {} of {}", ack.order, order.state, order.total_minor));
        }
    }
    missing.iter().for_each(|order| violations.add("an answered order exists", *order));
    changed.into_iter().for_each(|what| violations.add("an answered end stays", what));
    for (key, orders) in by_key.iter().filter(|(_, orders)| orders.len() > 1) {
        violations.add("one key, one order", format!("key {key}: {orders:?}"));
    }
    for (order, keys) in by_order.iter().filter(|(_, keys)| keys.len() > 1) {
        violations.add("one key, one order", format!("{order}: keys {keys:?}"));
    }
    found.late.iter().for_each(|order| violations.add("an answered order ends in time", order.clone()));
    found.told.faults.iter().for_each(|what| violations.add("no server is at fault", what.clone()));
    found.told.surprises.iter().for_each(|what| violations.add("no call is refused without reason", what.clone()));
    found.unexpected_deaths.iter().for_each(|what| violations.add("no process ends by itself", what.clone()));
}

#[cfg(test)]
mod tests {
    use kontor_proto::kontor::order::v1::order::State;

    use super::super::sound::{broken, sound};

    #[test]
    fn an_answered_order_that_is_not_there_is_noticed() {
        let mut found = sound();
        let mut lost = found.told.acks[0].clone();
        (lost.key, lost.order) = (uuid::Uuid::max(), format!("orders/{}", uuid::Uuid::nil()));
        found.told.acks.push(lost);
        assert_eq!(broken(&found), ["an answered order exists"]);
    }

    #[test]
    fn an_end_that_was_answered_and_did_not_stay_is_noticed() {
        let mut found = sound();
        found.told.acks[1].state = State::Completed;
        assert_eq!(broken(&found), ["an answered end stays"]);
    }

    #[test]
    fn two_orders_for_one_key_are_noticed() {
        let mut found = sound();
        let mut second = found.told.acks[1].clone();
        second.key = found.told.acks[0].key;
        found.told.acks.push(second);
        assert!(broken(&found).contains(&"one key, one order"));
    }

    #[test]
    fn faults_refusals_without_reason_and_strange_deaths_are_noticed() {
        let mut found = sound();
        found.told.faults.push("GetOrder: 500".into());
        found.told.surprises.push("PlaceOrder was refused".into());
        found.unexpected_deaths.push("order-1 ended by itself".into());
        let promises = ["no call is refused without reason", "no process ends by itself", "no server is at fault"];
        assert_eq!(broken(&found), promises);
    }
}
