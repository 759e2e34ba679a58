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

/// Carries the code of a password reset.
pub(crate) fn password_reset_code(to: &Email, code: &SecretString) -> Letter {
    let text = format!(
        "Your code is {}\n\nIt is good for 30 minutes and sets a new password. If you did not ask for it, ignore this mail: \
         your password stays as it is.\n",
        code.expose_secret()
    );
    Letter { to: to.to_string(), subject: "Your code for a new password", text: text.into() }
}

/// Tells the owner of an account that its password has changed.
pub(crate) fn password_changed(to: &Email) -> Letter {
    let text = "The password of your account was changed, and you were signed out elsewhere.\n\nIf it was not you, reset \
                the password now.\n";
    Letter { to: to.to_string(), subject: "Your password was changed", text: text.into() }
}

/// Tells the owner of an account that signing in asks for a code from now on.
pub(crate) fn second_factor_added(to: &Email) -> Letter {
    let text = "An authenticator was added to your account. Signing in asks for its code from now on.\n\nIf it was not \
                you, reset the password now and tell us.\n";
    Letter { to: to.to_string(), subject: "An authenticator was added to your account", text: text.into() }
}

/// Tells the owner of an account that signing in asks for no code any more.
pub(crate) fn second_factor_removed(to: &Email) -> Letter {
    let text = "The authenticator of your account was taken away. The password alone opens it from now on.\n\nIf it was \
                not you, reset the password now and tell us.\n";
    Letter { to: to.to_string(), subject: "The authenticator of your account was taken away", text: text.into() }
}
