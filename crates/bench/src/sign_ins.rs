//! Sign-ins per second, beside what the password hash alone allows on the same cores.

use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use kontor_auth::PasswordCost;
use kontor_runtime::Error;
use tokio::task::JoinSet;

use crate::accounts;
use crate::stack::{self, Stack};
use crate::table::Table;

/// How many people sign in, each at once with the others, for each core.
const PEOPLE_PER_CORE: usize = 4;

pub(crate) async fn run(time: Duration) -> Result<Table, Error> {
    let cores = available_parallelism().map_or(1, usize::from);
    let hashes = bare(cores, time).await?;
    let people = cores * PEOPLE_PER_CORE;
    let sign_ins = stack::with(PasswordCost::default(), async |stack| sign_ins(&stack, people, time).await).await?;
    let mut table = Table::new(&["on all cores", "cores", "done", "a second"]);
    for (name, done) in [("Argon2id alone", hashes), ("signing in", sign_ins)] {
        let tenths = u128::from(done) * 10_000 / time.as_millis().max(1);
        table.row([name.into(), cores.to_string(), done.to_string(), format!("{}.{}", tenths / 10, tenths % 10)]);
    }
    table.row(["share".into(), String::new(), String::new(), format!("{} %", sign_ins * 100 / hashes.max(1))]);
    Ok(table)
}

/// Hashes on each core, as many as there is time for.
async fn bare(cores: usize, time: Duration) -> Result<u64, Error> {
    let cost = PasswordCost::default();
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut threads = JoinSet::new();
    for _ in 0..cores {
        let argon2 = argon2.clone();
        threads.spawn_blocking(move || hash_for(&argon2, time));
    }
    let mut done = 0;
    while let Some(thread) = threads.join_next().await {
        done += thread??;
    }
    Ok(done)
}

fn hash_for(argon2: &Argon2<'_>, time: Duration) -> Result<u64, Error> {
    // In memory of its own that it uses again, as fast as it gets.
    let mut memory = vec![Block::new(); argon2.params().block_count()];
    let (mut out, begun, mut done) = ([0; Params::DEFAULT_OUTPUT_LEN], Instant::now(), 0);
    while begun.elapsed() < time {
        argon2.hash_password_into_with_memory(b"correct horse battery staple", &[7; 16], &mut out, &mut memory[..])?;
        done += 1;
    }
    Ok(done)
}

/// Signs in as so many people, again and again.
async fn sign_ins(stack: &Stack, people: usize, time: Duration) -> Result<u64, Error> {
    let mut emails = Vec::new();
    for number in 0..people {
        emails.push(accounts::make(stack, number).await?);
    }
    let (begun, mut tasks) = (Instant::now(), JoinSet::new());
    for email in emails {
        let auth = stack.auth.clone();
        tasks.spawn(async move {
            let mut done = 0;
            while begun.elapsed() < time {
                accounts::sign_in(&auth, &email).await?;
                done += u64::from(begun.elapsed() < time);
            }
            Ok::<_, Error>(done)
        });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task??;
    }
    Ok(done)
}
