//! `kontor rotate-keys`: makes a new signing key in a running Kontor, and shows all of them.

use kontor_proto::kontor::auth::v1::SigningKey;
use kontor_proto::kontor::auth::v1::signing_key::State;
use kontor_runtime::{Error, peer};
use tokio_util::sync::CancellationToken;

use crate::cli::RotateKeys;
use crate::client::{rotate, sign_in, signing_keys};
use crate::say;

/// Rotates, and says which keys there are then.
pub async fn run(asked: RotateKeys, stop: CancellationToken) -> Result<(), Error> {
    let at = |error: Error| Error::from(format!("{error} (auth at {})", asked.operator.auth_addr));
    tokio::select! {
        done = rotate_and_show(&asked) => done.map_err(at),
        () = stop.cancelled() => Err("stopped; rotate again to see whether a key was made".into()),
    }
}

async fn rotate_and_show(asked: &RotateKeys) -> Result<(), Error> {
    let (auth, password) = (peer::channel(&asked.operator.auth_addr)?, asked.operator.password()?);
    let sign_in = || sign_in(auth.clone(), &asked.operator.admin_email, &password);
    let mut token = sign_in().await?;
    let key = rotate(auth.clone(), &token, asked.compromised).await?;
    if asked.compromised {
        say("all keys so far are refused, with all that they have signed: everybody needs a new access token");
        token = sign_in().await?;
    } else {
        say(format_args!("the next key signs from {}", time(key.activate_time.as_ref())));
    }
    show(&signing_keys(auth, &token).await?);
    Ok(())
}

fn show(keys: &[SigningKey]) {
    let line = |kid: &str, state: &str, times: [&str; 3]| {
        let [made, signs, refused] = times;
        say(format!("{kid:<45}{state:<11}{made:<22}{signs:<22}{refused}").trim_end());
    };
    line("key", "state", ["made", "signs from", "refused from"]);
    for key in keys {
        let times = [&key.create_time, &key.activate_time, &key.retire_time].map(|at| time(at.as_ref()));
        line(&key.kid, state(key.state()), times.each_ref().map(String::as_str));
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Published => "published",
        State::Active => "active",
        State::Retiring => "retiring",
        State::Retired => "retired",
        State::Unspecified => "",
    }
}

/// Without fractions of a second.
fn time(at: Option<&prost_types::Timestamp>) -> String {
    at.map(|at| prost_types::Timestamp { nanos: 0, ..*at }.to_string()).unwrap_or_default()
}
