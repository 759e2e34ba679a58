//! What is measured of sign-ins.

use std::sync::LazyLock;

use opentelemetry::metrics::Counter;
use opentelemetry::{KeyValue, global};

use crate::ops::Error;

static SIGN_INS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("kontor_auth")
        .u64_counter("kontor.auth.sign_ins")
        .with_unit("{sign_in}")
        .with_description("Attempts to sign in, and answers to the challenge of a second factor, by what came of them.")
        .build()
});

/// How a step of a sign-in ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SignInOutcome<'a> {
    SignedIn,
    /// The password is right; a code is asked for.
    Challenged,
    Failed(&'a Error),
}

pub(crate) fn sign_in_ended(outcome: SignInOutcome<'_>) {
    let outcome = match outcome {
        SignInOutcome::SignedIn => "signed_in",
        SignInOutcome::Challenged => "challenged",
        SignInOutcome::Failed(error) => failure(error),
    };
    SIGN_INS.add(1, &[KeyValue::new("kontor.sign_in.outcome", outcome)]);
}

fn failure(error: &Error) -> &'static str {
    match error {
        Error::CredentialsInvalid => "wrong_password",
        Error::CodeInvalid => "wrong_code",
        Error::ChallengeInvalid => "challenge_expired",
        Error::PasswordRefused { .. } => "password_refused",
        Error::Suspended => "suspended",
        Error::Throttled(_) => "throttled",
        Error::Busy => "shed",
        _ => "failed",
    }
}
