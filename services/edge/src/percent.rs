//! Percent-decoding (RFC 3986, section 2.1), strict: a `%` without two hexadecimal digits, or bytes that are no
//! UTF-8, are refused instead of passed on.

/// The text of a path segment; `None` if it is badly encoded.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' { hex(rest.next()?)? << 4 | hex(rest.next()?)? } else { byte });
    }
    String::from_utf8(bytes).ok()
}

/// The text of a query parameter, where `+` is a space (WHATWG URL, application/x-www-form-urlencoded).
pub(crate) fn decode_parameter(text: &str) -> Option<String> {
    decode(&text.replace('+', " "))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{decode, decode_parameter};

    #[test]
    fn bad_percent_signs_and_bad_utf8_are_refused() {
        for text in ["%", "%4", "%zz", "a%2", "%ff", "%C3%28", "%+1"] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(decode("a%2Fb%c3%a9+").as_deref(), Some("a/bé+"));
        assert_eq!(decode_parameter("a+b%2B").as_deref(), Some("a b+"));
    }

    proptest! {
        #[test]
        fn what_is_encoded_byte_by_byte_comes_back(text in any::<String>()) {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&encoded), Some(text));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = decode_parameter(&text);
        }
    }
}
