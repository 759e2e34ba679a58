//! Units and money go together: an order has both, or neither; and every order ends.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::rows::OrderRow;
use super::{Found, Violations};

impl OrderRow {
    pub(super) fn is_ended(&self) -> bool {
        matches!(self.state.as_str(), "COMPLETED" | "REJECTED" | "CANCELLED")
    }
}

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let captured = captured(found);
    let reservations: BTreeMap<_, _> = found.rows.reservations.iter().map(|row| (row.order_id, row)).collect();
    for order in &found.rows.orders {
        let is_completed = order.state == "COMPLETED";
        let reservation = reservations.get(&order.id).map_or("none", |reservation| reservation.state.as_str());
        let name = || format!("orders/{} is {}", order.id, order.state);
        violations.holds(order.is_ended(), "every order ends", name);
        if !order.is_ended() {
            continue;
        }
        violations.holds(is_completed == (reservation == "CONFIRMED"), "completed is taken", || {
            format!("{}, its reservation {reservation}", name())
        });
        let is_let_go = matches!(reservation, "RELEASED" | "REFUSED");
        violations.holds(is_completed || is_let_go, "nothing can be held any more", || {
            format!("{}, its reservation {reservation}: a late call could still take units", name())
        });
        let at_provider = captured.get(&order.id).copied().unwrap_or_default();
        let owed = if is_completed { order.total_minor } else { 0 };
        violations.holds((at_provider > 0) == (owed > 0), "completed is paid", || {
            format!("{}, {at_provider} captured of {}", name(), order.total_minor)
        });
        violations.holds(order.captured_minor == owed, "completed is paid", || {
            format!("{}, and says that {} were captured of {}", name(), order.captured_minor, order.total_minor)
        });
    }
    for saga in &found.rows.sagas {
        violations.add("every order ends", format!("orders/{saga} is still driven"));
    }
    found.rows.loose_ends.iter().for_each(|what| violations.add("nothing is left undone", what.clone()));
    taken_without_an_order(found, violations);
    one_live_order_per_cart(found, violations);
}

fn captured(found: &Found) -> BTreeMap<Uuid, i64> {
    let mut captured = BTreeMap::new();
    for payment in &found.payments {
        let order = payment.order.as_deref().and_then(|name| name.strip_prefix("orders/")?.parse().ok());
        if let Some(order) = order {
            *captured.entry(order).or_default() += payment.captured_minor;
        }
    }
    captured
}

fn taken_without_an_order(found: &Found, violations: &mut Violations) {
    let orders: BTreeSet<_> = found.rows.orders.iter().map(|order| order.id).collect();
    let taken = found.rows.reservations.iter().filter(|row| matches!(row.state.as_str(), "HELD" | "CONFIRMED"));
    for reservation in taken.filter(|row| !orders.contains(&row.order_id)) {
        violations.add("units are for orders that exist", format!("orders/{} is not there", reservation.order_id));
    }
}

fn one_live_order_per_cart(found: &Found, violations: &mut Violations) {
    let mut carts: BTreeMap<&str, Vec<Uuid>> = BTreeMap::new();
    let live = found.rows.orders.iter().filter(|order| matches!(order.state.as_str(), "PROCESSING" | "COMPLETED"));
    for order in live {
        carts.entry(&order.cart_id).or_default().push(order.id);
    }
    for (_, orders) in carts.into_iter().filter(|(_, orders)| orders.len() > 1) {
        violations.add("a cart is one order", format!("orders {orders:?} have one cart"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::sound::{broken, sound};

    #[test]
    fn a_completed_order_whose_units_were_not_taken_is_noticed() {
        let mut found = sound();
        found.rows.reservations[0].state = "RELEASED".into();
        assert_eq!(broken(&found), ["completed is taken", "units add up"]);
    }

    #[test]
    fn an_order_that_came_to_nothing_without_a_tombstone_is_noticed() {
        let mut found = sound();
        let without = found.rows.reservations.split_off(1);
        assert!(broken(&found).contains(&"nothing can be held any more"));
        found.rows.reservations.extend(without);
        found.rows.reservations[1].state = "EXPIRED".into();
        assert!(broken(&found).contains(&"nothing can be held any more"));
    }

    #[test]
    fn a_completed_order_that_was_not_paid_is_noticed() {
        let mut found = sound();
        found.payments[0].state = "AUTHORIZED".into();
        found.payments[0].captured_minor = 0;
        assert_eq!(broken(&found), ["completed is paid", "no money stays held"]);
    }

    #[test]
    fn a_rejected_order_that_was_paid_is_noticed() {
        let mut found = sound();
        found.payments[1].captured_minor = found.rows.orders[1].total_minor;
        found.payments[1].state = "CAPTURED".into();
        assert_eq!(broken(&found), ["completed is paid"]);
    }

    #[test]
    fn an_order_that_never_ends_is_noticed() {
        let mut found = sound();
        found.rows.sagas.push(found.rows.orders[1].id);
        assert_eq!(broken(&found), ["every order ends"]);
    }

    #[test]
    fn two_orders_of_one_cart_are_noticed() {
        let mut found = sound();
        let mut second = found.rows.orders[0].clone();
        (second.id, second.state) = (uuid::Uuid::nil(), "PROCESSING".into());
        found.rows.orders.push(second);
        assert!(broken(&found).contains(&"a cart is one order"));
    }

    #[test]
    fn units_taken_for_an_order_that_is_not_there_are_noticed() {
        let mut found = sound();
        found.rows.reservations[1].order_id = uuid::Uuid::nil();
        found.rows.reservations[1].state = "CONFIRMED".into();
        assert!(broken(&found).contains(&"units are for orders that exist"));
    }
}
