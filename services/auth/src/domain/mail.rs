//! What the mails say.

use secrecy::{ExposeSecret, SecretString};

use super::email::Email;

/// A mail to be sent. Its text may hold a code.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) subject: &'static str,
    pub(crate) text: SecretString,
}

/// Carries the code of a sign-up.
pub(crate) fn sign_up_code(to: &Email, code: &SecretString) -> Letter {
    let text = format!(
        "Your code is {}\n\nIt is good for 30 minutes. If you did not ask for an account, ignore this mail.\n",
        code.expose_secret()
    );
    Letter { to: to.to_string(), subject: "Your sign-up code", text: text.into() }
}

/// Tells the owner of an account that somebody asked for another one with the same address.
pub(crate) fn account_exists(to: &Email) -> Letter {
    let text = "Somebody, perhaps you, asked for an account with this address. You have one already: sign in with \
                your password.\n\nIf it was not you, nothing needs to be done.\n";
    Letter { to: to.to_string(), subject: "You have an account already", text: text.into() }
}
