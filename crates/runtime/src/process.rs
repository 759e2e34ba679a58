//! The life of a process: telemetry, signals, the work, the drain, the exit code.

use std::fmt::Display;
use std::net::SocketAddr;
use std::process::ExitCode;

use futures_util::future::BoxFuture;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::settings::{LogFormat, ProcessSettings};
use crate::{fault, telemetry};

/// Why a service could not start or go on: one sentence, with its causes.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

type Serve = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, Result<(), Error>>>;

/// Runs a program until it ends, or until SIGINT or SIGTERM asks it to. A second signal ends it at once. The future is boxed so that
/// the program does not compile the code of its libraries again.
pub fn run<F>(name: &str, settings: &ProcessSettings, serve: F) -> ExitCode
where
    F: FnOnce(CancellationToken) -> BoxFuture<'static, Result<(), Error>> + 'static,
{
    run_boxed(name, settings, Box::new(serve))
}

/// Allows as many open files, and so connections, as the system lets this process have. The usual limit is far lower, for the sake of old
/// programs.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}

fn run_boxed(name: &str, settings: &ProcessSettings, serve: Serve) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report(name, &error),
    };
    runtime.block_on(async {
        let options = telemetry::Options { log_format: settings.log_format };
        let _telemetry = match telemetry::start(name, options) {
            Ok(telemetry) => telemetry,
            Err(error) => return report(name, &fault::chain(&error)),
        };
        raise_file_limit();
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        match serve(stop).await {
            Ok(()) => ExitCode::SUCCESS,
            // Where lines are read by a program, this one must be of their form.
            Err(error) if options.log_format == LogFormat::Json => {
                tracing::error!(error = %fault::chain(error.as_ref()), "ended");
                ExitCode::FAILURE
            }
            Err(error) => report(name, &fault::chain(error.as_ref())),
        }
    })
}

async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::error!("cannot listen for signals; stop this process by SIGKILL");
        return;
    };
    for round in 1.. {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if round > 1 {
            std::process::exit(130);
        }
        tracing::info!("stopping; a second signal stops at once");
        stop.cancel();
    }
}

/// Listens on an address, or says what is in the way.
pub async fn bind(what: &'static str, addr: SocketAddr) -> Result<TcpListener, Error> {
    let bound = TcpListener::bind(addr).await;
    bound.map_err(|error| format!("{what} can't listen on {addr}: {error}; choose another address").into())
}

#[expect(clippy::print_stderr, reason = "the reason why a process ends is for its terminal, whatever is logged")]
pub(crate) fn report(name: &str, error: &dyn Display) -> ExitCode {
    eprintln!("{name}: {error}");
    ExitCode::FAILURE
}
