//! What the mails say. The texts are in `templates/`: the subject, an empty line, the text with its `{placeholders}`.

use kontor_types::ids::SignUpId;
use secrecy::{ExposeSecret, SecretString};

use super::code::LIFE_SECONDS;
use super::email::Email;
use super::links::Links;

const SIGN_UP_CODE: &str = include_str!("../../templates/sign_up_code.txt");
const ACCOUNT_EXISTS: &str = include_str!("../../templates/account_exists.txt");
const PASSWORD_RESET: &str = include_str!("../../templates/password_reset.txt");
const PASSWORD_CHANGED: &str = include_str!("../../templates/password_changed.txt");
const SECOND_FACTOR_ADDED: &str = include_str!("../../templates/second_factor_added.txt");
const SECOND_FACTOR_REMOVED: &str = include_str!("../../templates/second_factor_removed.txt");

/// A mail to be sent. Its text may hold a code.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) subject: &'static str,
    pub(crate) text: SecretString,
    /// Of two letters with the same key one is sent.
    pub(crate) dedupe_key: Option<String>,
    /// After this many seconds it is not sent any more.
    pub(crate) life_seconds: Option<i64>,
}

pub(crate) fn sign_up_code(to: &Email, sign_up: SignUpId, code: &SecretString, links: &Links) -> Letter {
    let name = sign_up.to_string();
    with_code(SIGN_UP_CODE, to, code, &links.verify_sign_up(&name, code)).once(name)
}

/// Tells the owner of an account that a second one was requested for the same address.
pub(crate) fn account_exists(to: &Email, sign_up: SignUpId) -> Letter {
    letter(ACCOUNT_EXISTS, to, &[]).once(sign_up.to_string())
}

pub(crate) fn password_reset(to: &Email, reset_name: &str, code: &SecretString, links: &Links) -> Letter {
    with_code(PASSWORD_RESET, to, code, &links.reset_password(reset_name, code)).once(reset_name.to_owned())
}

pub(crate) fn password_changed(to: &Email) -> Letter {
    letter(PASSWORD_CHANGED, to, &[])
}

pub(crate) fn second_factor_added(to: &Email) -> Letter {
    letter(SECOND_FACTOR_ADDED, to, &[])
}

pub(crate) fn second_factor_removed(to: &Email) -> Letter {
    letter(SECOND_FACTOR_REMOVED, to, &[])
}

/// Not sent once the code has expired.
fn with_code(template: &'static str, to: &Email, code: &SecretString, link: &SecretString) -> Letter {
    let minutes = (LIFE_SECONDS / 60).to_string();
    let values = [("code", code.expose_secret()), ("link", link.expose_secret()), ("minutes", minutes.as_str())];
    Letter { life_seconds: Some(LIFE_SECONDS), ..letter(template, to, &values) }
}

fn letter(template: &'static str, to: &Email, values: &[(&str, &str)]) -> Letter {
    let (subject, text) = template.split_once("\n\n").unwrap_or((template, ""));
    let text = fill(text, values).into();
    Letter { to: to.to_string(), subject, text, dedupe_key: None, life_seconds: None }
}

/// In one pass: what a value holds is not filled again.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let (mut filled, mut rest) = (String::new(), text);
    while let Some((before, (name, after))) = rest.split_once('{').and_then(|(b, a)| Some((b, a.split_once('}')?))) {
        filled += before;
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled += value,
            None => filled.extend(["{", name, "}"]),
        }
        rest = after;
    }
    filled + rest
}

impl Letter {
    fn once(self, key: String) -> Self {
        Self { dedupe_key: Some(key), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Letter> {
        let to = Email::parse("ada@example.org").unwrap();
        let links = Links::parse("https://shop.example").unwrap();
        let (code, sign_up) = (SecretString::from("12345678"), SignUpId::generate());
        vec![
            sign_up_code(&to, sign_up, &code, &links),
            account_exists(&to, sign_up),
            password_reset(&to, "passwordResets/1", &code, &links),
            password_changed(&to),
            second_factor_added(&to),
            second_factor_removed(&to),
        ]
    }

    #[test]
    fn every_letter_has_a_subject_of_one_line_a_text_and_no_placeholder_left() {
        for letter in all() {
            let text = letter.text.expose_secret();
            assert!(!letter.subject.is_empty() && !letter.subject.contains(['\r', '\n', '{']), "{letter:?}");
            assert!(text.len() > 40 && text.ends_with(".\n") && !text.contains(['{', '}']), "{letter:?} {text}");
            assert_eq!(letter.to, "ada@example.org");
        }
    }

    #[test]
    fn codes_and_links_lead_to_the_configured_origin_and_expire_with_the_code() {
        let letters = all();
        for (letter, link) in [
            (&letters[0], "https://shop.example/verify-sign-up#signUp=signUps/"),
            (&letters[2], "https://shop.example/reset-password#passwordReset=passwordResets/1&code=12345678\n"),
        ] {
            let text = letter.text.expose_secret();
            assert!(text.starts_with("Your code is 12345678\n") && text.contains(link), "{text}");
            assert!(text.contains("&code=12345678\n") && text.contains("30 minutes"), "{text}");
            assert_eq!(letter.life_seconds, Some(LIFE_SECONDS));
        }
        assert!(letters.iter().filter(|letter| letter.life_seconds.is_some()).count() == 2);
    }

    #[test]
    fn a_value_is_not_filled_again() {
        assert_eq!(fill("{a} {b} {c} {", &[("a", "{b}"), ("b", "2")]), "{b} 2 {c} {");
    }

    #[test]
    fn debug_output_hides_the_text() {
        assert!(all().iter().all(|letter| !format!("{letter:?}").contains("12345678")));
    }
}
