//! What is percent-encoded where.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Appends a value to a URL: all but unreserved characters are encoded.
pub(super) fn push_value(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, VALUE));
}

/// Text that an author wrote into a URL: what has a meaning there stays, escapes too.
pub(super) fn constant(text: &str) -> String {
    utf8_percent_encode(text, CONSTANT).to_string()
}

/// RFC 3986 §2.3.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// RFC 3986 §2.2, and the percent sign.
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
