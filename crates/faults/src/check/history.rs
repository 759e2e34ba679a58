//! Who lost an order to another process does not write about it any more.

use std::collections::BTreeMap;

use super::{Found, Violations};

/// What an alert says that tells of nothing but many tries, which faults explain.
const PATIENCE_LOST: &str = "it does not get on";

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let mut epochs = BTreeMap::new();
    for entry in &found.rows.history {
        let latest = epochs.entry(entry.order_id).or_insert(entry.epoch);
        violations.holds(*latest <= entry.epoch, "the last owner alone writes", || {
            format!("orders/{}: epoch {} wrote after epoch {latest}", entry.order_id, entry.epoch)
        });
        *latest = entry.epoch.max(*latest);
        let is_odd = entry.kind == "ALERTED" && entry.message != PATIENCE_LOST;
        violations
            .holds(!is_odd, "no part contradicts another", || format!("orders/{}: {}", entry.order_id, entry.message));
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::HistoryRow;
    use super::super::sound::{broken, sound};

    fn row(order_id: uuid::Uuid, epoch: i64) -> HistoryRow {
        HistoryRow { order_id, epoch, kind: "ATTEMPTED".into(), message: String::new() }
    }

    #[test]
    fn an_alert_for_something_that_can_not_be_is_noticed() {
        let mut found = sound();
        let alert = |message: &str| {
            let row = row(found.rows.orders[0].id, 1);
            HistoryRow { kind: "ALERTED".into(), message: message.into(), ..row }
        };
        let alerts = [alert("it does not get on"), alert("VOID answered CAPTURED")];
        found.rows.history.push(alerts[0].clone());
        assert_eq!(broken(&found), Vec::<&str>::new());
        found.rows.history.push(alerts[1].clone());
        assert_eq!(broken(&found), ["no part contradicts another"]);
    }

    #[test]
    fn a_write_of_an_earlier_owner_is_noticed() {
        let mut found = sound();
        let order_id = found.rows.orders[0].id;
        found.rows.history = [1, 2, 2].map(|epoch| row(order_id, epoch)).into();
        assert_eq!(broken(&found), Vec::<&str>::new());
        found.rows.history.push(row(order_id, 1));
        assert_eq!(broken(&found), ["the last owner alone writes"]);
    }
}
