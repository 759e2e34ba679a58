//! Keeps the processes running: whatever dies is started again after a short while, and counted.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kontor_runtime::Error;
use kontor_testkit::program::{command, send_signal};
use tokio::process::Child;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::death::{self, Death};
use super::settings::Settings;
use crate::dice::Dice;
use crate::folder::Folder;
use crate::plan::Plan;

/// What a passing of any failpoint does, in `KONTOR_FAILPOINTS`: paused ones sleep longer than a lease.
const TEMPER: &str = "kill=0.004,pause=0.004,pause_ms=4500";
/// Besides: units are asked for late, so that a buyer may have lost patience before.
const DAWDLING: &str = "only=order.reserve,pause=0.08,pause_ms=4500";

#[derive(Clone, Debug, Default)]
pub(crate) struct Deaths {
    pub(crate) kills: BTreeMap<&'static str, u64>,
    pub(crate) failpoints: BTreeMap<&'static str, u64>,
    /// Starts that failed since the database was away.
    pub(crate) in_vain: u64,
    /// What should not have happened: which process, and how.
    pub(crate) unexpected: Vec<String>,
}

impl Deaths {
    pub(crate) fn total(&self) -> u64 {
        self.kills.values().chain(self.failpoints.values()).sum()
    }
}

#[derive(Clone)]
pub(crate) struct Supervisor(Arc<Shared>);

struct Shared {
    seats: Vec<Seat>,
    seed: u64,
    program: PathBuf,
    armed: AtomicBool,
    deaths: Mutex<Deaths>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct Seat {
    settings: Settings,
    log: PathBuf,
    pid: watch::Sender<Option<u32>>,
}

impl Supervisor {
    pub(super) fn start(plan: &Plan, folder: &Folder, settings: Vec<Settings>) -> Self {
        let seat =
            |settings: Settings| Seat { log: folder.log(settings.name), settings, pid: watch::Sender::new(None) };
        let shared = Arc::new(Shared {
            seats: settings.into_iter().map(seat).collect(),
            seed: plan.seed,
            program: plan.program.clone(),
            armed: AtomicBool::new(false),
            deaths: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        for number in 0..shared.seats.len() {
            let shared = shared.clone();
            shared.tasks.clone().spawn(async move { shared.keep_running(number).await });
        }
        Self(shared)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.seats.iter().map(|seat| seat.settings.name)
    }

    /// Sends a signal to the process that runs under this name now, by the signal's name. False if none does.
    pub(crate) fn signal(&self, name: &str, signal: &str) -> bool {
        let seat = self.0.seats.iter().find(|seat| seat.settings.name == name);
        let pid = seat.and_then(|seat| *seat.pid.borrow());
        pid.is_some_and(|pid| send_signal(pid, signal))
    }

    /// From now on, processes are started with failpoints, or without; those that have it otherwise are killed for it.
    pub(crate) fn arm(&self, armed: bool) {
        if self.0.armed.swap(armed, Ordering::Relaxed) == armed {
            return;
        }
        for seat in self.0.seats.iter().filter(|seat| seat.settings.has_failpoints) {
            self.signal(seat.settings.name, "KILL");
        }
    }

    pub(crate) fn deaths(&self) -> Deaths {
        self.0.deaths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn stop(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl Shared {
    async fn keep_running(&self, number: usize) {
        let seat = &self.seats[number];
        let mut dice = Dice::of(self.seed, seat.settings.name, 0);
        while !self.stop.is_cancelled() {
            if let Err(error) = self.live_once(seat, &mut dice).await {
                self.note(|deaths| deaths.unexpected.push(format!("{}: {error}", seat.settings.name)));
            }
            let _ = tokio::time::timeout(dice.millis(50, 1000), self.stop.cancelled()).await;
        }
    }

    async fn live_once(&self, seat: &Seat, dice: &mut Dice) -> Result<(), Error> {
        let log = OpenOptions::new().create(true).append(true).open(&seat.log)?;
        let before = log.metadata()?.len();
        let mut child = self.spawn(seat, log, dice)?;
        // Held until its death; waiting for the child would close it.
        let _pipe = child.stdin.take();
        seat.pid.send_replace(child.id());
        let status = tokio::select! {
            status = child.wait() => status?,
            () = self.stop.cancelled() => {
                seat.pid.send_replace(None);
                child.kill().await?;
                return Ok(());
            }
        };
        seat.pid.send_replace(None);
        let said = read_from(&seat.log, before)?;
        let name = seat.settings.name;
        self.note(|deaths| match death::of(status, &said) {
            Death::Killed => *deaths.kills.entry(name).or_default() += 1,
            Death::Failpoint => *deaths.failpoints.entry(name).or_default() += 1,
            Death::InVain => deaths.in_vain += 1,
            Death::Unexpected => {
                let last = said.lines().last().unwrap_or_default();
                deaths.unexpected.push(format!("{name} ended by itself ({status}): {last}"));
            }
        });
        Ok(())
    }

    fn spawn(&self, seat: &Seat, log: File, dice: &mut Dice) -> Result<Child, Error> {
        let mut command = command(&self.program);
        command.args(["process", seat.settings.service]).envs(seat.settings.env.iter().cloned());
        if seat.settings.has_failpoints && self.armed.load(Ordering::Relaxed) {
            let seed = dice.between(0, u64::MAX);
            command.env("KONTOR_FAILPOINTS", format!("seed={seed},{TEMPER};seed={seed},{DAWDLING}"));
        }
        // The process ends when this pipe does.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        Ok(tokio::process::Command::from(command).kill_on_drop(true).spawn()?)
    }

    fn note(&self, change: impl FnOnce(&mut Deaths)) {
        change(&mut self.deaths.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What a log says from here on. A process that has died writes no more.
fn read_from(log: &PathBuf, position: u64) -> Result<String, Error> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(position))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
