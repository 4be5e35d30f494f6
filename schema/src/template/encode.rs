//! Percent-encoding for URLs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Appends a value to a URL: all but unreserved characters are encoded.
pub(super) fn push_value(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, VALUE));
}

/// Encodes constant text of a URL: reserved characters and existing escapes stay.
pub(super) fn constant(text: &str) -> String {
    utf8_percent_encode(text, CONSTANT).to_string()
}

/// The complement of the unreserved characters (RFC 3986 §2.3).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `VALUE` without the reserved characters (RFC 3986 §2.2) and the percent sign.
const CONSTANT: &AsciiSet = &VALUE
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'#')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'%');
