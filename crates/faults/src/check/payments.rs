//! Nobody is charged twice, or for nothing, and no money stays held.

use std::collections::BTreeMap;

use super::journal::Payment;
use super::{Found, Violations};

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let orders = found.orders();
    for (name, payments) in by_order(found) {
        let order = name.strip_prefix("orders/").and_then(|id| id.parse().ok()).and_then(|id| orders.get(&id));
        let keys: Vec<_> = payments.iter().map(|payment| payment.authorization_key.as_str()).collect();
        violations.holds(payments.len() == 1, "one authorisation for an order", || format!("{name}: {keys:?}"));
        let captured: Vec<_> = payments.iter().filter(|payment| payment.captured_minor > 0).collect();
        violations.holds(captured.len() <= 1, "never charged twice", || format!("{name}: {keys:?}"));
        let Some(order) = order else {
            let held = payments.iter().any(|payment| is_open(payment) || payment.captured_minor > 0);
            violations.holds(!held, "money is for orders that exist", || name.to_owned());
            continue;
        };
        for payment in captured {
            violations.holds(payment.captured_minor == order.total_minor, "charged exactly the total", || {
                format!("{name}: {} of {}", payment.captured_minor, order.total_minor)
            });
        }
        let open = payments.iter().find(|payment| is_open(payment));
        if let (true, Some(payment)) = (order.is_ended(), open) {
            violations.add("no money stays held", format!("{name} is {}, and {}", order.state, payment.state));
        }
    }
}

fn by_order(found: &Found) -> BTreeMap<&str, Vec<&Payment>> {
    let mut orders: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for payment in &found.payments {
        if let Some(order) = &payment.order {
            orders.entry(order.as_str()).or_default().push(payment);
        }
    }
    orders
}

fn is_open(payment: &Payment) -> bool {
    matches!(payment.state.as_str(), "AUTHORIZED" | "IN_REVIEW")
}

#[cfg(test)]
mod tests {
    use super::super::sound::{broken, sound};

    #[test]
    fn two_captures_for_one_order_are_noticed() {
        let mut found = sound();
        let mut second = found.payments[0].clone();
        (second.authorization_key, second.refunded_minor) = ("another".into(), 0);
        found.payments.push(second);
        assert_eq!(broken(&found), ["never charged twice", "one authorisation for an order"]);
    }

    #[test]
    fn another_amount_than_the_total_is_noticed() {
        let mut found = sound();
        found.payments[0].captured_minor += 1;
        assert_eq!(broken(&found), ["charged exactly the total"]);
    }

    #[test]
    fn money_that_stays_held_for_a_rejected_order_is_noticed() {
        let mut found = sound();
        found.payments[1].state = "AUTHORIZED".into();
        assert_eq!(broken(&found), ["no money stays held"]);
    }

    #[test]
    fn a_charge_for_an_order_that_is_not_there_is_noticed() {
        let mut found = sound();
        let mut stray = found.payments[0].clone();
        (stray.authorization_key, stray.order) = ("stray".into(), Some(format!("orders/{}", uuid::Uuid::nil())));
        found.payments.push(stray);
        assert_eq!(broken(&found), ["money is for orders that exist"]);
    }
}
