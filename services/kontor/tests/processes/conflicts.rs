//! Two of them that want the same data directory or the same address.

use std::net::TcpListener;
use std::time::Duration;

use kontor_testkit::Program;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};
use crate::shop::{ADMIN, KETTLE};

const GIVE_UP_MAX: Duration = Duration::from_secs(20);

/// What a program that could not start says last: one sentence, and no trace of a panic.
async fn last_words(program: &mut Program) -> String {
    let status = program.ends(GIVE_UP_MAX).await;
    let complained = program.complained();
    assert_eq!(status.code(), Some(1), "{complained}");
    assert!(!complained.contains("panicked"), "{complained}");
    complained.lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_second_one_on_the_same_data_is_refused_and_the_first_goes_on() {
    let dir = DataDir::new();
    let mut first = Launcher::start(&mut up(&dir)).await;
    let words = last_words(&mut Program::start(&mut up(&dir))).await;
    assert!(words.starts_with("kontor: ") && words.contains(&*dir.path().to_string_lossy()), "{words}");
    assert!(words.contains("in use by another process") && words.contains("--data-dir"), "{words}");
    assert!(first.program.runs());
    first.shop().buy(KETTLE).await;
}

#[tokio::test]
async fn of_two_first_starts_at_once_one_wins_and_its_secrets_are_the_kept_ones() {
    let dir = DataDir::new();
    let mut programs = [0, 1].map(|_| Program::start(&mut up(&dir)));
    let loser = tokio::time::timeout(GIVE_UP_MAX, first_to_end(&mut programs)).await.unwrap();
    let words = last_words(&mut programs[loser]).await;
    assert!(words.contains("in use by another process"), "{words}");
    let [one, other] = programs;
    let mut winner = if loser == 0 { other } else { one };
    winner.says("Ctrl-C stops everything", Duration::from_secs(90)).await;
    let mut winner = Launcher { program: winner };
    let password = winner.password();
    assert_eq!(winner.stop("INT").await.code(), Some(0));

    let again = Launcher::start(&mut up(&dir)).await;
    assert!(again.shop().sign_in(ADMIN, &password).await.is_some());
}

async fn first_to_end(programs: &mut [Program]) -> usize {
    loop {
        if let Some(place) = programs.iter_mut().position(|program| !program.runs()) {
            return place;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_flag_before_anything_is_started() {
    for flag in ["--edge-addr", "--order-addr"] {
        let dir = DataDir::new();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap().to_string();
        let mut command = up(&dir);
        command.args(["up", flag, &addr]);
        let words = last_words(&mut Program::start(&mut command)).await;
        assert!(words.contains(&addr) && words.contains(flag), "{words}");
        assert!(!dir.path().join("postgres").exists());
    }
}
