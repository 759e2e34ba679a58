//! The journal: what was answered is remembered by the next process, also after SIGKILL.

use std::fs::Permissions;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use kontor_proto::kontor::payment::v1::payment::State;
use kontor_testkit::{Issuer, issuer::ISSUER};
use tonic::Code;

use crate::provider::{Client, Sandbox, refusal, usd};

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn command(addr: SocketAddr, issuer: &Issuer, journal: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kontor-sandbox-psp"));
    command.args(["--psp-addr", &addr.to_string(), "--auth-addr", &issuer.addr.to_string(), "--issuer", ISSUER]);
    command.arg("--journal").arg(journal);
    command
}

async fn start(addr: SocketAddr, issuer: &Issuer, journal: &Path) -> (Program, Client) {
    let program = Program(command(addr, issuer, journal).spawn().unwrap());
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(addr).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let channel = kontor_runtime::peer::channel(&addr.to_string()).unwrap();
    (program, Client::new(channel, &issuer.service("order")))
}

fn free_addr() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_killed_process_leaves_its_answers_to_the_next() {
    let (folder, issuer) = (tempfile::tempdir().unwrap(), Issuer::start().await);
    let journal = folder.path().join("journal");
    let (first, client) = start(free_addr(), &issuer, &journal).await;
    let authorized = client.authorize("a", 79, "tok_approve").await.unwrap();
    let captured = client.capture("c", "a", usd(79)).await.unwrap();
    let refunded = client.refund("r", "a", usd(9)).await.unwrap();
    let declined = client.authorize("b", 79, "tok_decline").await.unwrap();
    refusal(client.authorize("e", 79, "tok_error_after").await);
    client.void("v", "x").await.unwrap();
    drop(first);

    // What a crash in the middle of a line leaves.
    let mut file = std::fs::OpenOptions::new().append(true).open(&journal).unwrap();
    file.write_all(br#"{"time":"2025-06-01T12:"#).unwrap();

    let (_second, client) = start(free_addr(), &issuer, &journal).await;
    assert_eq!(client.authorize("a", 79, "tok_approve").await.unwrap(), authorized);
    assert_eq!(client.capture("c", "a", usd(79)).await.unwrap(), captured);
    assert_eq!(client.refund("r", "a", usd(9)).await.unwrap(), refunded);
    assert_eq!(client.authorize("b", 79, "tok_decline").await.unwrap(), declined);
    assert_eq!(client.authorize("e", 79, "tok_error_after").await.unwrap().state(), State::Authorized);
    assert_eq!(client.authorize("x", 79, "tok_approve").await.unwrap().decline_code, "voided");
    assert_eq!(refusal(client.authorize("a", 80, "tok_approve").await).0, Code::InvalidArgument);
    assert_eq!(client.look_up("a").await.unwrap(), refunded);
}

#[tokio::test]
async fn a_wrong_line_keeps_the_program_from_starting_and_is_named() {
    let (folder, issuer) = (tempfile::tempdir().unwrap(), Issuer::start().await);
    let journal = folder.path().join("journal");
    std::fs::write(&journal, "{}\n").unwrap();
    let output = command(free_addr(), &issuer, &journal).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("line 1 of the journal is wrong: "), "{said}");
}

#[tokio::test]
async fn the_journal_is_for_programs_and_holds_no_payment_token() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal");
    // As an earlier version left it: for everybody to read.
    std::fs::write(&journal, "").unwrap();
    std::fs::set_permissions(&journal, Permissions::from_mode(0o644)).unwrap();
    let Sandbox { client, .. } = &Sandbox::start(Some(&journal)).await;
    client.authorize("a", 79, "tok_approve").await.unwrap();
    assert_eq!(std::fs::metadata(&journal).unwrap().permissions().mode() & 0o777, 0o600);
    client.authorize("b", 79, "4242424242424242").await.unwrap();
    client.capture("c", "a", usd(79)).await.unwrap();
    let text = std::fs::read_to_string(&journal).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [authorized, declined, captured] = lines.as_slice() else { panic!("{text}") };
    assert_eq!(authorized["call"], "authorize");
    assert_eq!(authorized["state"], "AUTHORIZED");
    assert_eq!(declined["decline_code"], "unknown_token");
    assert_eq!((&captured["call"], &captured["key"]), (&"capture".into(), &"c".into()));
    assert_eq!((&captured["authorization_key"], &captured["order"]), (&"a".into(), &"orders/1".into()));
    assert_eq!(captured["amount"], serde_json::json!({"currency_code": "USD", "minor": 7900}));
    assert!(!text.contains("4242") && !text.contains("tok_"), "{text}");
}
