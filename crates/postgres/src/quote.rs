//! Quoting for the few places where neither SQL nor a URL can take a parameter.

/// An identifier for SQL: in double quotes, with those inside doubled.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A part of a URL: every byte but the unreserved ones (RFC 3986) as `%XX`.
pub(crate) fn url_part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{identifier, url_part};

    #[test]
    fn a_quote_inside_an_identifier_cannot_end_it() {
        assert_eq!(identifier(r#"a"; DROP ROLE b"#), r#""a""; DROP ROLE b""#);
    }

    #[test]
    fn reserved_bytes_and_blanks_of_a_url_part_are_escaped() {
        assert_eq!(url_part("/tmp/a b?c%d"), "%2Ftmp%2Fa%20b%3Fc%25d");
    }
}
