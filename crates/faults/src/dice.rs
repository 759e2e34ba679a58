//! Dice that fall the same way for the same seed, however tasks take turns: everybody has their own.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub(crate) struct Dice(StdRng);

impl Dice {
    /// Those of `whom`, the `number`th of their kind.
    pub(crate) fn of(seed: u64, whom: &str, number: u64) -> Self {
        // FNV-1a: the same on every machine and version, unlike the standard library's hasher.
        let bytes = whom.bytes().chain(seed.to_le_bytes()).chain(number.to_le_bytes());
        let fold = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(StdRng::seed_from_u64(bytes.fold(0xcbf2_9ce4_8422_2325, fold)))
    }

    /// True so many times out of a hundred.
    pub(crate) fn percent(&mut self, chance: u32) -> bool {
        self.0.random_range(0..100) < chance
    }

    /// A number between the two, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.random_range(least..=most)
    }

    /// A time between the two, in milliseconds.
    pub(crate) fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.between(least, most))
    }

    pub(crate) fn weighed<T: Copy>(&mut self, all: &[(u32, T)], otherwise: T) -> T {
        let mut left = self.0.random_range(0..all.iter().map(|(weight, _)| weight).sum::<u32>().max(1));
        for (weight, one) in all {
            match left.checked_sub(*weight) {
                None => return *one,
                Some(rest) => left = rest,
            }
        }
        otherwise
    }

    pub(crate) fn shuffle<T>(&mut self, all: &mut [T]) {
        rand::seq::SliceRandom::shuffle(all, &mut self.0);
    }

    /// A UUID that is the same for the same seed.
    pub(crate) fn uuid(&mut self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.0.random()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_of_one_seed_and_person_fall_alike_and_others_do_not() {
        let roll = |seed, whom, number| Dice::of(seed, whom, number).between(0, u64::MAX);
        assert_eq!(roll(1, "buyer", 2), roll(1, "buyer", 2));
        assert_ne!(roll(1, "buyer", 2), roll(1, "buyer", 3));
        assert_ne!(roll(1, "buyer", 2), roll(2, "buyer", 2));
        assert_ne!(roll(1, "buyer", 2), roll(1, "nemesis", 2));
    }

    #[test]
    fn weights_decide_how_often_something_comes_up() {
        let mut dice = Dice::of(7, "test", 0);
        let rolls: Vec<_> = (0..1000).map(|_| dice.weighed(&[(90, "often"), (10, "rarely")], "never")).collect();
        let often = rolls.iter().filter(|roll| **roll == "often").count();
        assert!((800..1000).contains(&often), "{often}");
        assert!(!rolls.contains(&"never"));
    }
}
