//! The nemesis: kills and freezes processes, cuts, delays and swallows what they say to each other, and crashes the database.
//!
//! It deals its deeds from a deck that holds each kind for each target, so that none is missing for long; and in storms, since where nothing
//! ever gets on, nothing can go wrong either.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kontor_runtime::Error;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Database, Network, Supervisor, Way};
use crate::dice::Dice;
use crate::plan::Plan;

/// Deeds that last, such as a black hole, at the same time: with more of them nothing would get on.
const AT_ONCE_MAX: usize = 2;
/// Of what lasts, so many in a deck, on ways that are drawn each time.
const WAYS_PER_DECK: usize = 3;
const STOPS_PER_DECK: u64 = 2;
/// So many deeds are a storm. After each storm comes a calm, in which orders get on.
const STORM: usize = 7;

/// A kind of fault, as the report names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Freeze,
    Cut,
    Delay,
    BlackHole,
    Strand,
    DatabaseStop,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Kill(&'static str),
    Freeze(&'static str),
    Cut(Way),
    Delay(Way),
    BlackHole(Way),
    Strand(Way),
    StopDatabase,
}

#[derive(Clone, Default)]
pub(crate) struct Deeds(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    kinds: BTreeMap<Kind, u64>,
    decks: u64,
}

impl Deeds {
    pub(crate) fn of(&self, kind: Kind) -> u64 {
        self.counts().kinds.get(&kind).copied().unwrap_or_default()
    }

    /// Whether each deed was done at least once.
    pub(crate) fn are_all_there(&self) -> bool {
        self.counts().decks > 0
    }

    fn add(&self, kind: Kind) {
        *self.counts().kinds.entry(kind).or_default() += 1;
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
pub(crate) struct Nemesis {
    pub(crate) processes: Supervisor,
    pub(crate) network: Network,
    pub(crate) database: Database,
    pub(crate) deeds: Deeds,
}

impl Nemesis {
    /// Goes on until `stop`, and undoes then what lasts.
    pub(crate) async fn rage(self, plan: Plan, stop: CancellationToken) -> Result<(), Error> {
        let mut dice = Dice::of(plan.seed, "nemesis", 0);
        self.processes.arm(true);
        while !stop.is_cancelled() {
            for storm in self.deck(&plan, &mut dice).chunks(STORM) {
                self.storm(storm, &mut dice, &stop).await?;
                let _ = tokio::time::timeout(dice.millis(1500, 4000), stop.cancelled()).await;
            }
            self.deeds.counts().decks += u64::from(!stop.is_cancelled());
        }
        self.network.heal();
        self.processes.arm(false);
        Ok(())
    }

    /// Some deeds, until their end.
    async fn storm(&self, deeds: &[Deed], dice: &mut Dice, stop: &CancellationToken) -> Result<(), Error> {
        let mut lasting = JoinSet::new();
        for deed in deeds.iter().copied() {
            let _ = tokio::time::timeout(dice.millis(50, 800), stop.cancelled()).await;
            while lasting.len() >= AT_ONCE_MAX {
                lasting.join_next().await.transpose()?.transpose()?;
            }
            if stop.is_cancelled() {
                break;
            }
            let (nemesis, stop) = (self.clone(), stop.clone());
            let dice = Dice::of(dice.between(0, u64::MAX), "deed", 0);
            lasting.spawn(async move { nemesis.does(deed, dice, stop).await });
        }
        while let Some(ended) = lasting.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Each deed once, in an order of its own.
    fn deck(&self, plan: &Plan, dice: &mut Dice) -> Vec<Deed> {
        let mut deck: Vec<_> = self.processes.names().map(Deed::Kill).collect();
        // Those that have most to lose, more often.
        deck.extend(["order-1", "order-2", "catalog-1", "catalog-2", "sandbox-psp"].map(Deed::Kill));
        deck.extend(["order-1", "order-2", "catalog-1", "catalog-2"].map(Deed::Freeze));
        deck.extend(Way::ALL.map(Deed::Cut));
        for kind in [Deed::Delay, Deed::BlackHole, Deed::Strand] {
            let mut ways = Way::ALL;
            dice.shuffle(&mut ways);
            deck.extend(ways.into_iter().take(WAYS_PER_DECK).map(kind));
        }
        // What is late here may come after its opposite.
        deck.push(Deed::Strand(Way::Catalog));
        let stops = plan.database_stops.saturating_sub(self.deeds.of(Kind::DatabaseStop)).min(STOPS_PER_DECK);
        deck.extend((0..stops).map(|_| Deed::StopDatabase));
        dice.shuffle(&mut deck);
        deck
    }

    async fn does(&self, deed: Deed, mut dice: Dice, stop: CancellationToken) -> Result<(), Error> {
        let lasts = async |time: Duration| drop(tokio::time::timeout(time, stop.cancelled()).await);
        match deed {
            // Deaths are counted where they are seen.
            Deed::Kill(name) => drop(self.processes.signal(name, "KILL")),
            Deed::Freeze(name) => {
                if self.processes.signal(name, "STOP") {
                    self.deeds.add(Kind::Freeze);
                    // Longer than the lease.
                    lasts(dice.millis(4000, 7000)).await;
                    self.processes.signal(name, "CONT");
                }
            }
            Deed::Cut(way) => {
                self.network.proxy(way).cut();
                self.deeds.add(Kind::Cut);
            }
            Deed::Delay(way) => {
                self.network.proxy(way).delay(dice.millis(20, 250));
                self.deeds.add(Kind::Delay);
                lasts(dice.millis(500, 3000)).await;
                self.network.proxy(way).heal();
            }
            Deed::BlackHole(way) => {
                self.network.proxy(way).freeze();
                self.deeds.add(Kind::BlackHole);
                lasts(dice.millis(500, 6000)).await;
                self.network.proxy(way).heal();
            }
            Deed::Strand(way) => {
                self.network.proxy(way).strand();
                self.deeds.add(Kind::Strand);
                lasts(dice.millis(3000, 8000)).await;
                self.network.proxy(way).heal();
            }
            Deed::StopDatabase => {
                self.database.crash(lasts(dice.millis(100, 2000))).await?;
                self.deeds.add(Kind::DatabaseStop);
            }
        }
        Ok(())
    }
}
