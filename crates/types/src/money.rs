//! Money as whole minor units of a currency of ISO 4217: 79.00 USD is 7900 cents. No floats anywhere.

use std::fmt;

/// Minor units of currencies that have no decimals.
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
/// Currencies with two decimals: all others of the list that people are paid in.
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF \
    CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS \
    INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN \
    NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN \
    SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";

/// Nanos in one unit.
const NANOS: i64 = 1_000_000_000;

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u32,
}

impl Currency {
    /// The US dollar: what a caller gets who names no currency.
    pub const USD: Self = Self { code: *b"USD", decimals: 2 };

    /// By its three letters.
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(3).collect());
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        let listed = |list: &str| list.split(' ').any(|known| known == code);
        let tables = [(TWO_DECIMALS, 2), (NO_DECIMALS, 0), (THREE_DECIMALS, 3)];
        let found = tables.into_iter().find(|(list, _)| listed(list));
        found.map(|(_, decimals)| Self { code: bytes, decimals }).ok_or_else(unknown)
    }

    /// Its three letters.
    pub fn code(&self) -> &str {
        str::from_utf8(&self.code).unwrap_or_default()
    }

    /// How many decimals an amount has: 2 for USD, 0 for JPY.
    pub fn decimals(&self) -> u32 {
        self.decimals
    }

    /// How many minor units make one unit: 100 for USD, 1 for JPY.
    fn minor_per_unit(&self) -> i64 {
        10_i64.pow(self.decimals)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Whole minor units (cents).
    pub minor: i64,
    pub currency: Currency,
}

/// An amount that can't be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{0:?} is no currency of ISO 4217")]
    UnknownCurrency(String),
    #[error("{currency} has {decimals} decimals, and the amount has more")]
    TooFine { currency: Currency, decimals: u32 },
    /// Units and nanos of different signs, or nanos of a whole unit and more.
    #[error("nanos must be between -999,999,999 and 999,999,999, and of the same sign as units")]
    BadNanos,
    #[error("{0:?} is no decimal number such as 79.90")]
    NotANumber(String),
    #[error("the amount is too large")]
    Overflow,
    #[error("{0} and {1} can't be added")]
    Mixed(Currency, Currency),
}

impl Money {
    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// From units and nanos, as `google.type.Money` has them.
    pub fn from_units(currency: Currency, units: i64, nanos: i32) -> Result<Self, MoneyError> {
        let nanos = i64::from(nanos);
        if nanos.abs() >= NANOS || (units > 0 && nanos < 0) || (units < 0 && nanos > 0) {
            return Err(MoneyError::BadNanos);
        }
        let nanos_per_minor = NANOS / currency.minor_per_unit();
        if nanos % nanos_per_minor != 0 {
            return Err(MoneyError::TooFine { currency, decimals: currency.decimals });
        }
        let whole = units.checked_mul(currency.minor_per_unit()).ok_or(MoneyError::Overflow)?;
        let minor = whole.checked_add(nanos / nanos_per_minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, currency })
    }

    /// Whole units, and the rest in nanos, of the same sign.
    pub fn to_units(self) -> (i64, i32) {
        let per_unit = self.currency.minor_per_unit();
        let nanos = (self.minor % per_unit) * (NANOS / per_unit);
        // Less than one unit, so it fits.
        (self.minor / per_unit, i32::try_from(nanos).unwrap_or_default())
    }

    /// From a decimal number with a point, as price lists write it: "79.9", "79.90", "79".
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let error = || MoneyError::NotANumber(text.chars().take(40).collect());
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (units, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if units.is_empty() || !all_digits(units) || !all_digits(decimals) {
            return Err(error());
        }
        let width = currency.decimals as usize;
        if decimals.trim_end_matches('0').len() > width {
            return Err(MoneyError::TooFine { currency, decimals: currency.decimals });
        }
        let minor: String = units.chars().chain(decimals.chars().chain(std::iter::repeat('0')).take(width)).collect();
        let minor: i64 = minor.parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    /// The sum, of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// So many times the amount.
    pub fn times(self, quantity: i32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(quantity)).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The number alone, with the decimals of its currency: "79.00".
    pub fn amount(self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let (minor, per_unit) = (self.minor.unsigned_abs(), self.currency.minor_per_unit().unsigned_abs());
        match self.currency.decimals as usize {
            0 => format!("{sign}{minor}"),
            width => format!("{sign}{}.{:0width$}", minor / per_unit, minor % per_unit),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency() -> impl Strategy<Value = Currency> {
        prop_oneof![Just("USD"), Just("JPY"), Just("KWD")].prop_map(|code| Currency::from_code(code).unwrap())
    }

    proptest! {
        #[test]
        fn units_and_nanos_round_trip(minor in any::<i64>(), currency in currency()) {
            let money = Money { minor, currency };
            let (units, nanos) = money.to_units();
            prop_assert_eq!(Money::from_units(currency, units, nanos), Ok(money));
        }

        #[test]
        fn text_round_trips(minor in -i64::MAX..i64::MAX, currency in currency()) {
            let money = Money { minor, currency };
            prop_assert_eq!(Money::parse(&money.amount(), currency), Ok(money));
        }

        #[test]
        fn no_text_panics(text in "\\PC*", currency in currency()) {
            let _ = Money::parse(&text, currency);
        }
    }

    #[test]
    fn amounts_that_can_not_be_are_refused() {
        let usd = Currency::USD;
        assert_eq!(Money::from_units(usd, 1, -1), Err(MoneyError::BadNanos));
        assert_eq!(Money::from_units(usd, 0, 5), Err(MoneyError::TooFine { currency: usd, decimals: 2 }));
        assert_eq!(Money::from_units(usd, i64::MAX, 0), Err(MoneyError::Overflow));
        assert_eq!(Money::parse("1.005", usd), Err(MoneyError::TooFine { currency: usd, decimals: 2 }));
        for text in ["", ".", "1,50", "1.5.0", "1e3", "$1", " 1", "٣"] {
            assert!(matches!(Money::parse(text, usd), Err(MoneyError::NotANumber(_))), "{text}");
        }
        assert!(Currency::from_code("usd").is_err());
        assert!(Currency::from_code("XXX").is_err());
    }

    #[test]
    fn sums_keep_to_one_currency_and_never_wrap() {
        let one = Money { minor: 1, currency: Currency::USD };
        assert!(one.plus(Money::zero(Currency::from_code("EUR").unwrap())).is_err());
        assert_eq!(Money { minor: i64::MAX, ..one }.plus(one), Err(MoneyError::Overflow));
        assert_eq!(Money { minor: i64::MAX, ..one }.times(2), Err(MoneyError::Overflow));
    }
}
