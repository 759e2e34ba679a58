//! What was given back is the same to the order, to the provider and to the catalog, and each refund is one.

use std::collections::{BTreeMap, BTreeSet};

use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::order_refund::State;

use super::found::last;
use super::rows::OrderRow;
use super::{Found, Violations};
use crate::load::minor;

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let (at_provider, mut returned) = (at_provider(found), returned(found));
    let orders = found.orders();
    for (name, order) in found.last_words() {
        let pending: Vec<_> = order.refunds.iter().filter(|refund| refund.state() == State::Pending).collect();
        if !pending.is_empty() {
            pending.into_iter().for_each(|refund| violations.add("every refund ends", refund.name.clone()));
            continue;
        }
        let given_back: i64 = succeeded(order).map(|refund| minor(refund.amount.as_ref())).sum();
        let says = order.payment.as_ref().map_or(0, |payment| minor(payment.refunded_amount.as_ref()));
        let provider = at_provider.get(name).copied().unwrap_or_default();
        violations.holds(given_back == provider && says == provider, "refunds add up", || {
            format!("{name}: its refunds are {given_back}, it says {says}, the provider {provider}")
        });
        let row = name.strip_prefix("orders/").and_then(|id| id.parse().ok()).and_then(|id| orders.get(&id));
        let is_kept = |row: &OrderRow| row.refunded_minor == provider && provider <= row.captured_minor;
        violations.holds(row.is_none_or(|row| is_kept(row)), "refunds add up", || {
            format!("{name}: the order's row does not say that {provider} of what was captured were refunded")
        });
        let (came_back, put_back) = (restocked(order), returned.remove(name).unwrap_or_default());
        violations.holds(came_back == put_back, "returned units add up", || {
            format!("{name}: refunds say {came_back:?}, the catalog {put_back:?}")
        });
    }
    one_refund_for_a_key(found, violations);
}

fn succeeded(order: &pb::Order) -> impl Iterator<Item = &pb::OrderRefund> {
    order.refunds.iter().filter(|refund| refund.state() == State::Succeeded)
}

fn at_provider(found: &Found) -> BTreeMap<&str, i64> {
    let mut refunded = BTreeMap::new();
    for payment in &found.payments {
        if let Some(order) = &payment.order {
            *refunded.entry(order.as_str()).or_default() += payment.refunded_minor;
        }
    }
    refunded
}

/// Units by variant.
type Units = BTreeMap<String, i64>;

fn restocked(order: &pb::Order) -> Units {
    let mut units = Units::new();
    for line in succeeded(order).flat_map(|refund| &refund.restock) {
        *units.entry(line.variant.clone()).or_default() += i64::from(line.quantity);
    }
    units
}

fn returned(found: &Found) -> BTreeMap<String, Units> {
    let mut orders: BTreeMap<String, Units> = BTreeMap::new();
    for reservation in last(&found.rows.catalog_events).filter_map(|event| event.reservation.as_ref()) {
        for line in &reservation.returned_lines {
            let units = orders.entry(reservation.order.clone()).or_default();
            *units.entry(line.variant.clone()).or_default() += i64::from(line.quantity);
        }
    }
    orders
}

/// An order has as many refunds as keys were answered with one.
fn one_refund_for_a_key(found: &Found, violations: &mut Violations) {
    let mut keys: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    for refund in &found.told.refunds {
        keys.entry(&refund.order).or_default().insert(refund.key);
    }
    let orders = found.last_words();
    for (name, keys) in keys {
        let refunds = orders.get(name).map_or(0, |order| order.refunds.len());
        violations.holds(refunds == keys.len(), "one key, one refund", || {
            format!("{name}: {} keys were answered, {refunds} refunds are there", keys.len())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::sound::{broken, sound};

    #[test]
    fn a_refund_that_the_provider_made_twice_is_noticed() {
        let mut found = sound();
        found.payments[0].refunded_minor *= 2;
        assert_eq!(broken(&found), ["refunds add up"]);
    }

    #[test]
    fn two_refunds_for_one_key_are_noticed() {
        let mut found = sound();
        let order = found.rows.order_events[1].order.as_mut().unwrap();
        let mut second = order.refunds[0].clone();
        second.state = 3;
        order.refunds.push(second);
        assert_eq!(broken(&found), ["one key, one refund"]);
    }

    #[test]
    fn a_refund_that_was_answered_and_is_not_there_is_noticed() {
        let mut found = sound();
        found.rows.order_events[1].order.as_mut().unwrap().refunds.clear();
        assert_eq!(broken(&found), ["one key, one refund", "refunds add up", "returned units add up"]);
    }

    #[test]
    fn units_that_came_back_twice_are_noticed() {
        let mut found = sound();
        found.rows.catalog_events[0].reservation.as_mut().unwrap().returned_lines[0].quantity += 1;
        assert_eq!(broken(&found), ["returned units add up", "units add up"]);
    }
}
