//! How often something may be tried. Each attempt takes one from a bucket that fills up again by the clock (the generic
//! cell rate algorithm); what is counted for whom stands here, and nowhere else.

use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};
use kontor_types::ids::UserId;

/// How much a bucket holds, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// So many at once.
    pub(crate) burst: i64,
    /// Then one in so many seconds.
    pub(crate) period_seconds: i64,
}

/// All that one address asks of anybody's account.
const ADDRESS: Limit = Limit { burst: 100, period_seconds: 1 };
/// Passwords tried with one account.
const PASSWORD: Limit = Limit { burst: 10, period_seconds: 30 };
/// Codes tried with one account's second factor, by somebody who knows the password. Three codes of a million are good at
/// any time, so that guessing has to be slower than that of passwords.
const SECOND_FACTOR: Limit = Limit { burst: 10, period_seconds: 5 * 60 };
/// Mails that strangers have sent to one address.
const MAIL: Limit = Limit { burst: 5, period_seconds: 10 * 60 };

/// What attempts are counted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// Does not say whose it is.
    pub(crate) key: Vec<u8>,
    pub(crate) limit: Limit,
}

impl Bucket {
    /// Of the place that a call comes from. Whoever has one IPv6 address has the /64 around it.
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

    /// Of the mails to an e-mail address in lower case.
    pub(crate) fn mail(email_lower: &str) -> Self {
        Self::new("mail", email_lower, MAIL)
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
