//! What may become of a reservation.

use ReservationState::{Confirmed, Expired, Held, Refused, Released};
use kontor_types::ids::{ProductId, new_uuid};
use proptest::prelude::*;

use super::*;

const STATES: [ReservationState; 5] = [Held, Confirmed, Released, Refused, Expired];

fn line(quantity: i32) -> Line {
    Line { variant: VariantName { product: ProductId::generate(), id: new_uuid() }, quantity }
}

fn reservation(state: ReservationState, lines: &[Line]) -> Reservation {
    let (lines, returned) = (lines.to_vec(), vec![0; lines.len()]);
    Reservation { state, lines, returned, ..Reservation::tombstone(OrderId::generate()) }
}

#[test]
fn an_ended_reservation_stays_ended() {
    let (apply, already, ended) = (Ok(Ending::Apply), Ok(Ending::Already), |state| Err(Refusal::Ended(state)));
    let confirmed = [apply.clone(), already.clone(), ended(Released), ended(Refused), Err(Refusal::Expired)];
    assert_eq!(STATES.map(confirming), confirmed);
    let released = [apply.clone(), ended(Confirmed), already.clone(), already, apply];
    assert_eq!(STATES.map(releasing), released);
}

#[test]
fn asking_again_changes_only_what_is_held_or_expired() {
    let lines = [line(1), line(2)];
    let again = STATES.map(|state| re_reserving(&reservation(state, &lines), &lines));
    assert_eq!(again, [Again::Renew, Again::Stands, Again::Stands, Again::Stands, Again::TakeUp].map(Ok));
    let other = STATES.map(|state| re_reserving(&reservation(state, &lines), &lines[..1]));
    assert!(other.iter().all(|other| *other == Err(Refusal::OtherLines)), "{other:?}");
    assert_eq!(re_reserving(&Reservation::tombstone(OrderId::generate()), &lines), Ok(Again::TooLate));
}

#[test]
fn only_what_is_held_counts_as_held() {
    let lines = [line(1)];
    assert_eq!(STATES.map(|state| reservation(state, &lines).held().len()), [1, 0, 0, 0, 0]);
}

#[test]
fn units_come_back_only_if_they_were_taken() {
    let lines = [line(1)];
    for state in [Held, Released, Refused, Expired] {
        assert_eq!(returning(&reservation(state, &lines), &lines), Err(Refusal::Ended(state)));
    }
    let stranger = line(1);
    let none = Err(Refusal::TooMany { variant: stranger.variant, returnable: 0 });
    assert_eq!(returning(&reservation(Confirmed, &lines), &[lines[0], stranger]), none);
}

proptest! {
    #[test]
    fn never_more_comes_back_than_was_taken(
        taken in prop::collection::vec(1..5_i32, 1..4),
        calls in prop::collection::vec(prop::collection::vec((0..4_usize, 1..5_i32), 1..4), 1..12),
    ) {
        let lines: Vec<Line> = taken.iter().map(|quantity| line(*quantity)).collect();
        let mut found = reservation(Confirmed, &lines);
        for call in calls {
            let back: Vec<Line> = call.iter()
                .filter_map(|(index, quantity)| Some(Line { quantity: *quantity, ..*lines.get(*index)? }))
                .collect();
            let asked: i32 = back.iter().map(|line| line.quantity).sum();
            let before: i32 = found.returned.iter().sum();
            match returning(&found, &back) {
                Ok(returned) => {
                    prop_assert_eq!(returned.iter().sum::<i32>(), before + asked);
                    prop_assert!(returned.iter().zip(&taken).all(|(back, taken)| back <= taken));
                    found.returned = returned;
                }
                Err(Refusal::TooMany { variant, returnable }) => {
                    let index = lines.iter().position(|line| line.variant == variant).unwrap();
                    let wanted: i32 = back.iter().filter(|line| line.variant == variant).map(|line| line.quantity).sum();
                    prop_assert!(found.returned[index] + wanted > taken[index]);
                    prop_assert!(0 <= returnable && returnable <= taken[index] - found.returned[index]);
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn lines_that_are_added_up_keep_their_units(quantities in prop::collection::vec((0..3_usize, 1..100_i32), 0..20)) {
        let variants = [line(0), line(0), line(0)];
        let lines: Vec<Line> = quantities.iter().map(|(index, quantity)| Line { quantity: *quantity, ..variants[*index] }).collect();
        let sums = together(&lines);
        for variant in variants {
            let of = |lines: &[Line]| lines.iter().filter(|line| line.variant == variant.variant).map(|line| line.quantity).sum::<i32>();
            prop_assert_eq!(of(&sums), of(&lines));
        }
        prop_assert!(sums.windows(2).all(|pair| pair[0].variant.id < pair[1].variant.id));
    }
}
