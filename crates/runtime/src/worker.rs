//! Background workers: loops that do a round of work, wait, and stop with their service.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, OptionFuture};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::fault::chain;
use crate::metrics;
use crate::process::Error;

/// How long a round may take: longer than any timeout of the database server. Where packets vanish, a round would never end otherwise.
const ROUND_MAX: Duration = Duration::from_secs(30);

/// What a round of work came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There may be more work: the next round follows at once.
    More,
    /// There is nothing left: the next round follows after the interval, or when the worker is woken.
    Idle,
}

impl Progress {
    /// [`Progress::More`] if the round did as much as one round may do.
    pub fn of_batch(done: usize, batch: usize) -> Self {
        if done < batch { Self::Idle } else { Self::More }
    }
}

type Round = Box<dyn FnMut() -> BoxFuture<'static, Result<Progress, Error>> + Send>;

/// A loop that works until its service stops. A round that fails is logged, and the next one follows later.
pub struct Worker {
    name: &'static str,
    interval: Duration,
    retry_interval: Duration,
    round_max: Duration,
    wake: Option<Arc<Notify>>,
    round: Round,
}

impl Worker {
    /// With a name for the log and for metrics, the pause between two rounds when there is nothing to do, and a round of work.
    pub fn new<F, Fut, E>(name: &'static str, interval: Duration, mut round: F) -> Self
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Progress, E>> + Send + 'static,
        E: Into<Error> + 'static,
    {
        let round: Round = Box::new(move || round().map(|done| done.map_err(Into::into)).boxed());
        Self { name, interval, retry_interval: interval, round_max: ROUND_MAX, wake: None, round }
    }

    /// Waits for another time than the interval after a round that failed.
    #[must_use]
    pub fn retry_interval(self, retry_interval: Duration) -> Self {
        Self { retry_interval, ..self }
    }

    /// Lets a round take another time than 30 seconds.
    #[must_use]
    pub fn round_max(self, round_max: Duration) -> Self {
        Self { round_max, ..self }
    }

    /// Begins the next round when notified, instead of after the interval.
    #[must_use]
    pub fn wake_by(self, wake: Arc<Notify>) -> Self {
        Self { wake: Some(wake), ..self }
    }

    /// Works until `stop`; a round that has begun then ends first.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            // Registered before the round, so that a notification during the round is not lost.
            let woken = OptionFuture::from(self.wake.as_deref().map(Notify::notified));
            let round = timeout(self.round_max, (self.round)()).await;
            let pause = match round.unwrap_or_else(|_| Err("the round took too long".into())) {
                Ok(Progress::More) => continue,
                Ok(Progress::Idle) => self.interval,
                Err(error) => {
                    metrics::worker_failed(self.name);
                    tracing::warn!(worker = self.name, error = %chain(error.as_ref()), "background work failed, retrying");
                    self.retry_interval
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                Some(()) = woken => {}
                () = sleep(pause) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A worker whose rounds answer so, one after the other, and then stop it; and how many rounds it made.
    fn scripted(script: Vec<Result<Progress, Error>>) -> (Worker, CancellationToken, Arc<AtomicUsize>) {
        let (stop, rounds) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let (stopping, counted, mut script) = (stop.clone(), Arc::clone(&rounds), script.into_iter());
        let worker = Worker::new("test", Duration::from_secs(60), move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let answer = script.next().unwrap_or_else(|| {
                stopping.cancel();
                Ok(Progress::Idle)
            });
            std::future::ready(answer)
        });
        (worker, stop, rounds)
    }

    #[tokio::test(start_paused = true)]
    async fn rounds_follow_at_once_while_there_is_more_and_later_otherwise() {
        let script = vec![Ok(Progress::More), Ok(Progress::Idle), Err("away".into())];
        let (worker, stop, rounds) = scripted(script);
        let began = tokio::time::Instant::now();
        worker.retry_interval(Duration::from_secs(5)).run(stop).await;
        assert_eq!((rounds.load(Ordering::Relaxed), began.elapsed().as_secs()), (4, 65));
    }

    #[tokio::test(start_paused = true)]
    async fn a_notification_during_a_round_begins_the_next_one() {
        let wake = Arc::new(Notify::new());
        let (stop, began) = (CancellationToken::new(), tokio::time::Instant::now());
        let (waking, stopping, mut rounds) = (Arc::clone(&wake), stop.clone(), 0);
        let worker = Worker::new("test", Duration::from_secs(60), move || {
            rounds += 1;
            waking.notify_waiters();
            if rounds == 3 {
                stopping.cancel();
            }
            std::future::ready(Ok::<_, Error>(Progress::Idle))
        });
        worker.wake_by(wake).run(stop).await;
        assert!(began.elapsed().is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_hangs_is_given_up() {
        let (stop, began) = (CancellationToken::new(), tokio::time::Instant::now());
        let (stopping, mut is_first) = (stop.clone(), true);
        let worker = Worker::new("test", Duration::ZERO, move || {
            let hangs = std::mem::take(&mut is_first);
            if !hangs {
                stopping.cancel();
            }
            async move { if hangs { std::future::pending().await } else { Ok::<_, Error>(Progress::Idle) } }
        });
        worker.run(stop).await;
        assert_eq!(began.elapsed(), ROUND_MAX);
    }
}
