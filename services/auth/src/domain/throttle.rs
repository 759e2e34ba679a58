//! How often something may be tried. Each attempt takes one from a bucket that fills up again by the clock (the generic
//! cell rate algorithm); what is counted for whom stands here, and nowhere else.

use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};
use kontor_types::ids::UserId;

/// The size of a bucket, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The most attempts at once.
    pub(crate) burst: i64,
    /// The time until the next attempt, in seconds.
    pub(crate) period_seconds: i64,
}

/// Attempts by one address with any account.
const ADDRESS: Limit = Limit { burst: 100, period_seconds: 1 };
const PASSWORD: Limit = Limit { burst: 10, period_seconds: 30 };
/// Codes tried with one account's second factor, by a caller who knows the password. Three codes of a million are valid at
/// any time, so that guessing has to be slower than that of passwords.
const SECOND_FACTOR: Limit = Limit { burst: 10, period_seconds: 5 * 60 };
/// Mails that are requested for one mailbox.
const MAIL: Limit = Limit { burst: 5, period_seconds: 10 * 60 };

/// A bucket that attempts are counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// A hash, so that the table names no accounts or addresses.
    pub(crate) key: Vec<u8>,
    pub(crate) limit: Limit,
}

impl Bucket {
    /// Of the origin of a call: an IPv4 address, or the /64 network of an IPv6 address.
    pub(crate) fn address(address: Option<IpAddr>) -> Self {
        let place = match address {
            Some(IpAddr::V6(v6)) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).to_string(),
            Some(IpAddr::V4(v4)) => v4.to_string(),
            None => String::new(),
        };
        Self::new("address", &place, ADDRESS)
    }

    /// Of the password of an e-mail address in lower case, whether it has an account or not.
    pub(crate) fn password(email_lower: &str) -> Self {
        Self::new("password", email_lower, PASSWORD)
    }

    /// Of a user's second factor.
    pub(crate) fn second_factor(user: UserId) -> Self {
        Self::new("secondFactor", &user.to_string(), SECOND_FACTOR)
    }

    /// Of the mails to a mailbox, whatever tag its address has.
    pub(crate) fn mail(mailbox: &str) -> Self {
        Self::new("mail", mailbox, MAIL)
    }

    fn new(what: &str, whose: &str, limit: Limit) -> Self {
        Self { key: digest(&SHA256, format!("{what} {whose}").as_bytes()).as_ref().to_vec(), limit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Bucket {
        Bucket::address(Some(address.parse().unwrap()))
    }

    #[test]
    fn addresses_of_one_network_share_a_bucket_if_it_is_ipv6() {
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::7"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_ne!(of("192.0.2.1"), Bucket::address(None));
    }

    #[test]
    fn what_is_counted_is_counted_apart() {
        assert_ne!(Bucket::password("a@b").key, Bucket::mail("a@b").key);
        assert_ne!(Bucket::password("a@b").key, Bucket::password("a@c").key);
    }
}
