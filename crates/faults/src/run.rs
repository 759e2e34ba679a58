//! One run: start, load and faults until everything is reached, rest, compare, stop.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kontor_runtime::Error;
use sqlx::PgConnection;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::check::{self, Found, Rows, Violation};
use crate::cluster::{Cluster, Deaths};
use crate::folder::Folder;
use crate::load::{Admin, Load, Shop};
use crate::nemesis::{Deeds, Kind, Nemesis};
use crate::plan::Plan;
use crate::say;
use crate::watch::{self, Watcher};

/// How often to look whether everything is reached.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often to tell how far it is.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How much longer than planned a run goes on for what its faults have not led to yet.
const MORE_MAX: Duration = Duration::from_secs(90);
/// How long watchers may take to see the last events.
const CATCH_UP_MAX: Duration = Duration::from_secs(30);

pub(crate) struct Outcome {
    pub(crate) found: Found,
    pub(crate) violations: Vec<Violation>,
    pub(crate) deaths: Deaths,
    pub(crate) deeds: Deeds,
    pub(crate) tried: u64,
    pub(crate) took: Duration,
}

pub(crate) async fn run(plan: &Plan, folder: &Folder, is_quiet: bool) -> Result<Outcome, Error> {
    let began = Instant::now();
    let cluster = Cluster::start(plan, folder).await?;
    let tested = tokio::select! {
        tested = test(plan, folder, &cluster, is_quiet) => tested,
        () = stopped_by_hand() => Err("stopped by hand".into()),
    };
    let deaths = cluster.processes.deaths();
    cluster.stop().await?;
    let (mut found, deeds, tried) = tested?;
    found.unexpected_deaths.clone_from(&deaths.unexpected);
    found.logs = check::read_logs(&folder.path().join("logs"))?;
    let violations = check::check(&found);
    Ok(Outcome { found, violations, deaths, deeds, tried, took: began.elapsed() })
}

/// Ends with Ctrl-C, or with a request to end: what was started must not stay behind.
pub(crate) async fn stopped_by_hand() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

async fn test(plan: &Plan, folder: &Folder, cluster: &Cluster, is_quiet: bool) -> Result<(Found, Deeds, u64), Error> {
    cluster.ready().await?;
    let shop = Shop::open(plan, cluster).await?;
    let admin = Arc::new(Admin::new(cluster.addresses.auth.to_string()));
    let watchers = watch::start(cluster, &admin)?;
    let load = Load::start(plan, cluster, shop.clone(), admin)?;
    let book = load.book();

    let (deeds, stop) = (Deeds::default(), CancellationToken::new());
    let nemesis = Nemesis {
        processes: cluster.processes.clone(),
        network: cluster.network.clone(),
        database: cluster.database.clone(),
        deeds: deeds.clone(),
    };
    let mut raging = tokio::spawn(nemesis.rage(plan.clone(), stop.clone()));
    let logs = folder.path().join("logs");
    let reached = tokio::select! {
        reached = until_reached(plan, cluster, (&load, &deeds, &logs), is_quiet) => reached,
        // It ends by itself only if it could not put right what it did.
        ended = &mut raging => return Err(ended?.err().unwrap_or_else(|| "the nemesis stopped by itself".into())),
    };
    load.enough();
    stop.cancel();
    raging.await??;
    let tried = load.tried();

    if !is_quiet {
        say("  the faults are over; everything comes to rest");
    }
    let mut conn = cluster.database.connect().await?;
    let late = rest(plan, load, &mut conn).await?;
    catch_up(&watchers, &mut conn).await?;
    let mut found = Found {
        skus: shop.skus,
        rows: Rows::read(&mut conn).await?,
        payments: check::read_journal(&folder.journal())?,
        told: book.facts(),
        watched: Some(watchers.map(|watcher| watcher.watched())),
        late,
        ..Found::default()
    };
    found.told.surprises.extend(reached);
    Ok((found, deeds, tried))
}

/// Waits until there were as many orders, deaths and crashes as planned. Tells if that took too long.
async fn until_reached(
    plan: &Plan,
    cluster: &Cluster,
    (load, deeds, logs): (&Load, &Deeds, &Path),
    is_quiet: bool,
) -> Option<String> {
    let (began, mut told, mut reached) = (Instant::now(), Instant::now(), None);
    loop {
        let (tried, deaths) = (load.tried(), cluster.processes.deaths().total());
        let stops = deeds.of(Kind::DatabaseStop);
        if !is_quiet && told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let seconds = began.elapsed().as_secs();
            let known = load.book().acknowledged();
            say(format_args!(
                "  {seconds:>5} s {tried:>8} orders tried {known:>8} acknowledged {deaths:>6} deaths {stops:>4} database stops"
            ));
        }
        let is_reached = tried >= plan.orders && deaths >= plan.deaths && stops >= plan.database_stops;
        if is_reached && deeds.are_all_there() {
            // What the faults lead to is a matter of chance, too: give it some.
            let since = *reached.get_or_insert_with(Instant::now);
            let have_all = check::read_logs(logs).is_ok_and(|logs| logs.have_all());
            if have_all || plan.is_brief || since.elapsed() > MORE_MAX {
                return None;
            }
        }
        if began.elapsed() > plan.faults_max && plan.is_brief {
            return None;
        }
        if began.elapsed() > plan.faults_max {
            return Some(format!(
                "the run itself: {tried} orders, {deaths} deaths, {stops} database stops, and no more time"
            ));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Waits until all orders have ended and all callers have their answers. Returns the acknowledged orders that took too long.
async fn rest(plan: &Plan, load: Load, conn: &mut PgConnection) -> Result<Vec<String>, Error> {
    let (began, book) = (Instant::now(), load.book());
    let settling = tokio::spawn(load.settle());
    let mut late = None;
    while began.elapsed() < plan.rest_max + plan.settle_max {
        let processing = check::processing(conn).await?;
        if processing.is_empty() && settling.is_finished() {
            break;
        }
        if late.is_none() && began.elapsed() >= plan.rest_max {
            let known: BTreeSet<_> = book.facts().acks.into_iter().map(|ack| ack.order).collect();
            late = Some(processing.into_iter().filter(|name| known.contains(name)).collect());
        }
        sleep(LOOK_EVERY).await;
    }
    if settling.is_finished() {
        settling.await??;
    } else {
        settling.abort();
        book.never_answered();
    }
    Ok(late.unwrap_or_default())
}

async fn catch_up(watchers: &[Watcher; 2], conn: &mut PgConnection) -> Result<(), Error> {
    let written = check::event_counts(conn).await?;
    let has_all = |watcher: &Watcher, count: i64| i64::try_from(watcher.count()).is_ok_and(|seen| seen >= count);
    let began = Instant::now();
    while began.elapsed() < CATCH_UP_MAX && !(has_all(&watchers[0], written[0]) && has_all(&watchers[1], written[1])) {
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}
