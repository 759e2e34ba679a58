//! Nothing is oversold, and every unit is accounted for.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::found::last;
use super::rows::ReservationRow;
use super::{Found, Violations};

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let (confirmed, held) = (units(found, "CONFIRMED"), units(found, "HELD"));
    let returned = returned(found);
    for sku in &found.skus {
        let of = |units: &BTreeMap<Uuid, i64>| units.get(&sku.id).copied().unwrap_or_default();
        let (confirmed, held, returned) = (of(&confirmed), of(&held), of(&returned));
        let Some(stock) = found.rows.stock.iter().find(|stock| stock.variant_id == sku.id) else {
            violations.add("units add up", format!("{} has no stock", sku.sku));
            continue;
        };
        let (on_hand, reserved) = (stock.on_hand, stock.reserved);
        violations.holds(sku.initial == on_hand + confirmed - returned, "units add up", || {
            let (sku, initial) = (&sku.sku, sku.initial);
            format!("{sku}: {initial} at first, but {on_hand} on hand, {confirmed} sold, {returned} returned")
        });
        violations.holds(0 <= reserved && reserved <= on_hand, "never oversold", || {
            format!("{}: {reserved} reserved of {on_hand} on hand", sku.sku)
        });
        violations.holds(confirmed - returned <= sku.initial, "never oversold", || {
            format!("{}: {confirmed} sold, {returned} returned, of {}", sku.sku, sku.initial)
        });
        violations.holds(reserved == held, "reserved is what orders hold", || {
            format!("{}: {reserved} reserved, {held} held", sku.sku)
        });
        let ledger: i64 = found.rows.movements.iter().filter(|row| row.variant_id == sku.id).map(|row| row.delta).sum();
        violations.holds(ledger == on_hand, "the ledger adds up", || {
            format!("{}: the ledger says {ledger}, {on_hand} on hand", sku.sku)
        });
    }
    for reservation in found.rows.reservations.iter().filter(|reservation| reservation.state == "HELD") {
        violations.add("nothing is held at rest", format!("orders/{}", reservation.order_id));
    }
}

/// Units in reservations with this state.
fn units(found: &Found, state: &str) -> BTreeMap<Uuid, i64> {
    let mut units = BTreeMap::new();
    for reservation in found.rows.reservations.iter().filter(|reservation| reservation.state == state) {
        for (variant, quantity) in lines(reservation) {
            *units.entry(variant).or_default() += quantity;
        }
    }
    units
}

fn lines(reservation: &ReservationRow) -> impl Iterator<Item = (Uuid, i64)> {
    reservation.variant_ids.iter().copied().zip(reservation.quantities.iter().copied())
}

/// Units that came back, as the catalog says it of each reservation.
fn returned(found: &Found) -> BTreeMap<Uuid, i64> {
    let mut units = BTreeMap::new();
    for reservation in last(&found.rows.catalog_events).filter_map(|event| event.reservation.as_ref()) {
        for line in &reservation.returned_lines {
            if let Some(variant) = line.variant.rsplit('/').next().and_then(|id| id.parse().ok()) {
                *units.entry(variant).or_default() += i64::from(line.quantity);
            }
        }
    }
    units
}

#[cfg(test)]
mod tests {
    use super::super::sound::{broken, sound};

    #[test]
    fn what_is_sound_passes() {
        assert_eq!(broken(&sound()), Vec::<&str>::new());
    }

    #[test]
    fn a_unit_that_is_sold_and_still_there_is_noticed() {
        let mut found = sound();
        found.rows.stock[0].on_hand += 1;
        found.rows.movements[0].delta += 1;
        assert_eq!(broken(&found), ["units add up"]);
    }

    #[test]
    fn more_reserved_than_there_is_is_noticed() {
        let mut found = sound();
        found.rows.stock[0].reserved = found.rows.stock[0].on_hand + 1;
        assert_eq!(broken(&found), ["never oversold", "reserved is what orders hold"]);
    }

    #[test]
    fn a_ledger_that_lacks_a_line_is_noticed() {
        let mut found = sound();
        found.rows.movements.pop();
        assert_eq!(broken(&found), ["the ledger adds up"]);
    }

    #[test]
    fn a_reservation_that_nobody_ended_is_noticed() {
        let mut found = sound();
        found.rows.reservations[1].state = "HELD".into();
        assert!(broken(&found).contains(&"nothing is held at rest"));
        assert!(broken(&found).contains(&"reserved is what orders hold"));
    }
}
