//! Secrets must not come into logs: everything that the code under test logs in this process is read, at more detail than any operator asks for,
//! and so is what programs write to standard error. A secret in it ends the whole test run.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tracing_subscriber::EnvFilter;

/// What is logged while tests watch.
const FILTER: &str = "info,kontor=trace,kontor_auth=trace,kontor_postgres=trace,kontor_runtime=trace,sqlx=debug";
/// How much of the log is kept, in bytes, for secrets that the test learns of after they were used.
const KEPT: usize = 256 * 1024;
/// Shorter texts are found by chance.
const LENGTH_MIN: usize = 8;

/// What was logged lately, and what must not be in it.
struct Watched {
    log: String,
    secrets: Vec<String>,
}

static WATCHED: Mutex<Watched> = Mutex::new(Watched { log: String::new(), secrets: Vec::new() });

/// Begins to read this process's log. More calls change nothing.
pub fn watch() {
    static BEGUN: OnceLock<()> = OnceLock::new();
    BEGUN.get_or_init(|| {
        let log = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(FILTER)).with_ansi(false);
        log.with_writer(|| Reader).init();
    });
}

/// Says that a text is a secret. It may have been logged already, or be logged later.
pub fn keep(secret: &str) {
    assert!(secret.len() >= LENGTH_MIN, "{secret} is too short to be looked for");
    let mut watched = watched();
    refuse(&watched.log, &[secret.to_owned()]);
    watched.secrets.push(secret.to_owned());
}

pub fn look_through(log: &str) {
    refuse(log, &watched().secrets);
}

fn watched() -> MutexGuard<'static, Watched> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the run, not the test alone: a panic inside a writer would be caught by the code under test.
fn refuse(log: &str, secrets: &[String]) {
    if let Some(line) = log.lines().find(|line| is_telling(line, secrets)) {
        let _ = writeln!(io::stderr(), "a secret came into the log:\n{line}");
        std::process::abort();
    }
}

/// Whether a line holds one of the secrets, a service key, or a JWT.
fn is_telling(line: &str, secrets: &[String]) -> bool {
    line.contains("kt_sk_") || has_jwt(line) || secrets.iter().any(|secret| line.contains(secret.as_str()))
}

fn has_jwt(line: &str) -> bool {
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    // Both header and claims begin with `{"`.
    line.match_indices("eyJ").any(|(at, _)| line[at..].trim_start_matches(is_base64url).starts_with(".eyJ"))
}

struct Reader;

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let mut watched = watched();
        refuse(&line, &watched.secrets);
        watched.log += &line;
        if watched.log.len() > 2 * KEPT {
            let newest = watched.log.floor_char_boundary(KEPT);
            watched.log.drain(..newest);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_keys_and_tokens_are_told_from_other_words() {
        let secrets = ["correct horse battery".to_owned()];
        for telling in ["x correct horse battery", "key=kt_sk_order_1", "Bearer eyJhbGciOiJ9.eyJzdWIiOiJ9.c2ln"] {
            assert!(is_telling(telling, &secrets), "{telling}");
        }
        for innocent in ["a correct horse", "kid=eyJhbGciOiJ9", "eyJhbGciOiJ9.abc", ""] {
            assert!(!is_telling(innocent, &secrets), "{innocent}");
        }
    }
}
