//! A thousand sign-ins at once, against a process of its own with password hashes of the full cost.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use kontor_proto::kontor::auth::v1::SignInRequest;
use kontor_proto::kontor::auth::v1::authentication_service_client::AuthenticationServiceClient;
use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_testkit::{Program, free_addr, program};
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

use crate::people::from;
use crate::world::{ADMIN, Database, KEK, PASSWORD};

const MIB: u64 = 1024;
const HASH: u64 = 64 * MIB;
/// Room for a thousand calls and their connections.
const SLACK: u64 = 64 * MIB;
const CONNECTIONS: usize = 10;
const EACH: usize = 100;

async fn start(database: &Database) -> (Program, Vec<Channel>) {
    let addr = free_addr();
    let program = || program::command(env!("CARGO_BIN_EXE_kontor-auth"));
    let migrated = program().arg("migrate").env("KONTOR_DATABASE_URL", database.url()).status().unwrap();
    assert!(migrated.success());
    let mut command = program();
    command.env("KONTOR_AUTH_ADDR", addr.to_string()).env("KONTOR_DATABASE_URL", database.url());
    command.env("KONTOR_AUTH_KEK", KEK).env("KONTOR_ADMIN_EMAIL", ADMIN).env("KONTOR_ADMIN_PASSWORD", PASSWORD);
    let mut process = Program::start(&mut command);
    let began = Instant::now();
    while tokio::net::TcpStream::connect(addr).await.is_err() {
        assert!(process.runs() && began.elapsed() < Duration::from_secs(60), "{}", process.complained());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Without a deadline: what is asked here is what the answers are, not when they come.
    let connect = |_| Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy();
    (process, (0..CONNECTIONS).map(connect).collect())
}

/// A line of `/proc/{pid}/status`, in KiB.
fn memory(process: &Program, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn sign_in(channel: &Channel, n: usize, email: &str, password: &str) -> Result<(), Status> {
    let request = SignInRequest { email: email.into(), password: password.into() };
    let address = format!("198.18.{}.{}", n / 250, n % 250);
    AuthenticationServiceClient::new(channel.clone()).sign_in(from(request, &address)).await.map(|_| ())
}

#[tokio::test]
async fn memory_stays_within_what_the_cores_can_use() {
    let database = Database::new().await;
    let (process, channels) = start(&database).await;
    // Its connections to the database are there before the flood, as they are in any process that has been running.
    let before = (0..CONNECTIONS).map(|n| sign_in(&channels[n], n, ADMIN, PASSWORD));
    assert!(join_all(before).await.iter().all(Result::is_ok));
    let base = memory(&process, "VmRSS:");
    let cores = u64::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();

    let wrong = async |n| sign_in(&channels[n % CONNECTIONS], n, &format!("user{n}@example.org"), "wrong").await;
    let answers = join_all((0..CONNECTIONS * EACH).map(wrong)).await;
    for answer in answers {
        let refusal = answer.unwrap_err();
        // On a busy machine some wait too long for a connection to the database, which is an answer, too.
        let busy = [ErrorReason::Overloaded, ErrorReason::DependencyUnavailable];
        let expected = [ErrorReason::CredentialsInvalid, ErrorReason::Throttled, busy[0], busy[1]];
        assert!(
            reason_of(&refusal).is_some_and(|why| expected.contains(&why)),
            "{refusal:?}\n{}",
            process.complained()
        );
    }
    let peak = memory(&process, "VmHWM:");
    assert!(peak < base + cores * HASH + SLACK, "{peak} KiB at most, {base} KiB before");
    sign_in(&channels[0], 0, ADMIN, PASSWORD).await.unwrap();
}
