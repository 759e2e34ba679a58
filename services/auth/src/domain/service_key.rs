//! Keys of service accounts: `kt_sk_{account}_{secret}_{crc}`. The prefix lets scanners find leaked ones; the checksum
//! lets them, and us, tell a mistyped one without a look into the database.

use secrecy::{ExposeSecret, SecretString};

use super::hash::SecretHash;

const PREFIX: &str = "kt_sk_";

/// A text that is no service key. It is not repeated here, since it may nearly be one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no service key of the form kt_sk_{{account}}_{{secret}}_{{crc}} with the right checksum")]
pub struct ServiceKeyError;

/// A key of a service account, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceKey {
    pub(crate) account: String,
    pub(crate) hash: SecretHash,
}

impl ServiceKey {
    /// A new key for an account. Its name is made of lower-case letters, digits and hyphens, and begins with a letter;
    /// a key for another name would be refused wherever it is shown.
    pub fn generate(account: &str) -> SecretString {
        let secret: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
        let key = format!("{PREFIX}{account}_{secret}");
        format!("{key}_{:08x}", crc32(key.as_bytes())).into()
    }

    /// Reads a key and checks its checksum. Whether it is known is another question.
    ///
    /// # Errors
    /// When the text has another form, or its checksum is wrong.
    pub fn parse(key: &SecretString) -> Result<Self, ServiceKeyError> {
        let (rest, crc) = key.expose_secret().rsplit_once('_').ok_or(ServiceKeyError)?;
        if crc != format!("{:08x}", crc32(rest.as_bytes())) {
            return Err(ServiceKeyError);
        }
        let parts = rest.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_'));
        let (account, secret) = parts.ok_or(ServiceKeyError)?;
        if !is_account(account) || secret.len() != 64 || !secret.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ServiceKeyError);
        }
        Ok(Self { account: account.to_owned(), hash: SecretHash::of(key) })
    }
}

fn is_account(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// CRC-32 as zip and Ethernet have it (ISO-HDLC): reflected polynomial 0xEDB88320.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_new_key_names_its_account() {
        let key = ServiceKey::generate("sandbox-psp2");
        assert_eq!(ServiceKey::parse(&key).unwrap().account, "sandbox-psp2");
        assert_ne!(ServiceKey::generate("order").expose_secret(), ServiceKey::generate("order").expose_secret());
    }

    #[test]
    fn a_mistyped_key_is_no_key() {
        let key = ServiceKey::generate("order").expose_secret().to_owned();
        let swapped = if key.contains('a') { key.replacen('a', "b", 1) } else { key.replacen('1', "2", 1) };
        for bad in ["", "kt_sk_order", "kt_sk_order__00000000", &key[1..], &key[..key.len() - 1], &swapped] {
            assert_eq!(ServiceKey::parse(&bad.into()), Err(ServiceKeyError), "{bad}");
        }
    }

    #[test]
    fn a_key_for_a_name_that_no_account_can_have_is_no_key() {
        for name in ["", "Order", "1order", "-order", "or_der", "or/der"] {
            assert_eq!(ServiceKey::parse(&ServiceKey::generate(name)), Err(ServiceKeyError), "{name}");
        }
    }
}
