//! When a signing key signs and when it is refused. All of it follows from the keys' times, so that replicas agree without
//! telling each other.

use chrono::{DateTime, TimeDelta, Utc};

/// How long an access token is good, in seconds.
pub(crate) const TOKEN_SECONDS: i64 = 300;
/// How long a key counts after its last token has expired, in seconds: clocks differ, and replicas learn of a rotation at different times.
const MARGIN_SECONDS: i64 = 120;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) kid: String,
    pub(crate) create_time: DateTime<Utc>,
    pub(crate) activate_time: DateTime<Utc>,
    pub(crate) retire_time: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Verifiers learn of it; it does not sign yet.
    Published,
    Active,
    /// Its tokens may still be in use.
    Retiring,
    Retired,
}

/// A key as operators see it.
#[derive(Clone, Debug)]
pub(crate) struct SigningKey {
    pub(crate) life: Life,
    pub(crate) state: State,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    /// How long a key is published before it signs.
    pub(crate) lead: TimeDelta,
    /// How long it signs before the next one is added.
    pub(crate) period: TimeDelta,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// This key is published already, and waits to sign.
    Waits(String),
    New {
        activate_time: DateTime<Utc>,
        /// When older keys retire, unless they do so sooner.
        retire_time: DateTime<Utc>,
    },
}

impl Life {
    /// Whether verifiers accept its signatures, now or once it signs.
    pub(crate) fn counts(&self, now: DateTime<Utc>) -> bool {
        self.retire_time.is_none_or(|retire_time| retire_time > now)
    }

    pub(crate) fn state(&self, all: &[Self], now: DateTime<Utc>) -> State {
        if !self.counts(now) {
            State::Retired
        } else if self.activate_time > now {
            State::Published
        } else if signer(all, now).is_some_and(|signer| signer.kid == self.kid) {
            State::Active
        } else {
            State::Retiring
        }
    }
}

/// The key that signs: the last to begin; among equals, the one with the highest id.
pub(crate) fn signer(all: &[Life], now: DateTime<Utc>) -> Option<&Life> {
    let signing = all.iter().filter(|key| key.counts(now) && key.activate_time <= now);
    signing.max_by_key(|key| (key.activate_time, &key.kid))
}

fn waiting(all: &[Life], now: DateTime<Utc>) -> Option<&Life> {
    all.iter().find(|key| key.counts(now) && key.activate_time > now)
}

impl Schedule {
    pub(crate) fn is_due(&self, all: &[Life], now: DateTime<Utc>) -> bool {
        let is_old = |signer: &Life| signer.activate_time + self.period <= now;
        waiting(all, now).is_none() && signer(all, now).is_none_or(is_old)
    }

    /// Decides on a rotation. After a compromise all other keys retire at once, since the same attacker may have them.
    pub(crate) fn rotate(&self, all: &[Life], now: DateTime<Utc>, compromised: bool) -> Rotation {
        if compromised {
            return Rotation::New { activate_time: now, retire_time: now };
        }
        if let Some(waiting) = waiting(all, now) {
            return Rotation::Waits(waiting.kid.clone());
        }
        let activate_time = if signer(all, now).is_some() { now + self.lead } else { now };
        let retire_time = activate_time + TimeDelta::seconds(TOKEN_SECONDS + MARGIN_SECONDS);
        Rotation::New { activate_time, retire_time }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop};
    use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    const SCHEDULE: Schedule = Schedule { lead: TimeDelta::minutes(15), period: TimeDelta::days(30) };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn life(kid: &str, activate: i64, retire: Option<i64>) -> Life {
        Life { kid: kid.into(), create_time: at(0), activate_time: at(activate), retire_time: retire.map(at) }
    }

    fn states(all: &[Life], now: i64) -> Vec<State> {
        all.iter().map(|key| key.state(all, at(now))).collect()
    }

    #[test]
    fn what_a_key_is_used_for_follows_from_the_times() {
        use State::{Active, Published, Retired, Retiring};
        let all = [life("a", 0, Some(140)), life("b", 100, None)];
        assert_eq!(states(&all, 99), [Active, Published]);
        assert_eq!(states(&all, 100), [Retiring, Active]);
        assert_eq!(states(&all, 139), [Retiring, Active]);
        assert_eq!(states(&all, 140), [Retired, Active]);
    }

    #[test]
    fn of_two_keys_that_begin_at_once_one_signs() {
        assert_eq!(states(&[life("a", 5, None), life("b", 5, None)], 9), [State::Retiring, State::Active]);
    }

    #[test]
    fn a_rotation_waits_for_the_one_under_way_unless_the_keys_are_compromised() {
        let all = [life("a", 0, Some(500)), life("b", 100, None)];
        assert_eq!(SCHEDULE.rotate(&all, at(50), false), Rotation::Waits("b".into()));
        let at_once = Rotation::New { activate_time: at(50), retire_time: at(50) };
        assert_eq!(SCHEDULE.rotate(&all, at(50), true), at_once);
    }

    #[test]
    fn where_nothing_signs_the_new_key_does_at_once() {
        for all in [vec![], vec![life("a", 0, Some(40))]] {
            assert!(SCHEDULE.is_due(&all, at(50)));
            let Rotation::New { activate_time, .. } = SCHEDULE.rotate(&all, at(50), false) else { panic!("waits") };
            assert_eq!(activate_time, at(50));
        }
    }

    #[test]
    fn a_key_is_due_when_it_has_signed_for_its_period_and_no_other_waits() {
        let period = SCHEDULE.period.num_seconds();
        let old = life("a", 0, None);
        assert!(!SCHEDULE.is_due(std::slice::from_ref(&old), at(period - 1)));
        assert!(SCHEDULE.is_due(std::slice::from_ref(&old), at(period)));
        assert!(!SCHEDULE.is_due(&[old, life("b", period + 900, None)], at(period)));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Wait(i64),
        Rotate { compromised: bool },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let wait = prop_oneof![0..30i64, 0..2_000i64, 0..4_000_000i64].prop_map(Step::Wait);
        let rotate = prop::bool::weighted(0.2).prop_map(|compromised| Step::Rotate { compromised });
        prop::collection::vec(prop_oneof![3 => wait, 1 => rotate], 1..60)
    }

    /// What the database holds, and the tokens that were signed: the key and the expiry.
    struct World {
        now: i64,
        all: Vec<Life>,
        tokens: Vec<(String, i64)>,
    }

    impl World {
        fn rotate(&mut self, compromised: bool) {
            let Rotation::New { activate_time, retire_time } = SCHEDULE.rotate(&self.all, at(self.now), compromised)
            else {
                return;
            };
            for key in self.all.iter_mut().filter(|key| key.counts(retire_time)) {
                key.retire_time = Some(retire_time);
            }
            let (kid, create_time) = (format!("{:04}", self.all.len()), at(self.now));
            self.all.push(Life { kid, create_time, activate_time, retire_time: None });
            if compromised {
                self.tokens.clear();
            }
        }
    }

    proptest! {
        #[test]
        fn one_key_signs_at_any_time_and_the_key_of_every_good_token_is_published(steps in steps()) {
            let mut world = World { now: 0, all: Vec::new(), tokens: Vec::new() };
            world.rotate(false);
            for step in steps {
                match step {
                    Step::Wait(seconds) => world.now += seconds,
                    Step::Rotate { compromised } => world.rotate(compromised),
                }
                if SCHEDULE.is_due(&world.all, at(world.now)) {
                    world.rotate(false);
                }
                let states = states(&world.all, world.now);
                prop_assert_eq!(states.iter().filter(|state| **state == State::Active).count(), 1);
                prop_assert!(states.iter().filter(|state| **state == State::Published).count() <= 1);
                let signer = signer(&world.all, at(world.now)).unwrap().kid.clone();
                world.tokens.push((signer, world.now + TOKEN_SECONDS));
                world.tokens.retain(|(_, expire)| *expire > world.now);
                for (kid, _) in &world.tokens {
                    let key = world.all.iter().find(|key| key.kid == *kid).unwrap();
                    prop_assert!(key.counts(at(world.now)), "{kid} is gone, its token is not");
                }
            }
        }
    }
}
