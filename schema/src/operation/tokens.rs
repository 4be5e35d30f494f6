//! Lexical tokens of a document (GraphQL §2.1.6). White space, line terminators, commas, comments
//! and the byte order mark are not tokens.

/// The tokens of `text` in order; a document with syntax errors has tokens too.
pub(super) fn tokens(text: &str) -> Tokens<'_> {
    Tokens { text, at: 0 }
}

pub(super) struct Tokens<'a> {
    text: &'a str,
    /// The first byte that is not yet read.
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    /// The first byte and the text.
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let start = skip_ignored(bytes, self.at);
        let end = match *bytes.get(start)? {
            b'"' => string_end(bytes, start),
            b'.' if bytes[start..].starts_with(b"...") => start + 3,
            first if is_word(first) || first == b'-' => word_end(bytes, start),
            _ => start + 1,
        };
        let end = self.text.ceil_char_boundary(end);
        self.at = end;
        Some((start, self.text.get(start..end)?))
    }
}

fn skip_ignored(bytes: &[u8], mut at: usize) -> usize {
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => at += 1,
            Some(b'#') => at = find(bytes, at, |byte| matches!(byte, b'\n' | b'\r')),
            Some(0xEF) if bytes[at..].starts_with(BYTE_ORDER_MARK) => at += BYTE_ORDER_MARK.len(),
            _ => return at,
        }
    }
}

/// The end of a name or number.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let is_number = !bytes[start].is_ascii_alphabetic() && bytes[start] != b'_';
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        let is_sign = matches!(byte, b'+' | b'-') && matches!(bytes[at - 1], b'e' | b'E');
        let is_point = byte == b'.' && !bytes[at..].starts_with(b"..");
        if !is_word(byte) && !(is_number && (is_sign || is_point)) {
            break;
        }
        at += 1;
    }
    at
}

/// The end of a string; an unterminated one ends with its line, or with the document.
fn string_end(bytes: &[u8], start: usize) -> usize {
    if bytes[start..].starts_with(BLOCK) {
        return block_end(bytes, start + BLOCK.len());
    }
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') => return at + 1,
            Some(b'\n' | b'\r') | None => return at.min(bytes.len()),
            Some(_) => at += 1,
        }
    }
}

fn block_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(BLOCK) {
            return at + BLOCK.len();
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn find(bytes: &[u8], from: usize, is_end: fn(u8) -> bool) -> usize {
    let rest = bytes[from..].iter();
    rest.clone()
        .position(|byte| is_end(*byte))
        .map_or(bytes.len(), |length| from + length)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const BLOCK: &[u8] = b"\"\"\"";
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = tokens(text).map(|(_, text)| text).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn ignored_characters_are_not_tokens() {
        check("\u{FEFF}{ a,,, b # c { d\n}\r\n", &["{", "a", "b", "}"]);
        check(",, # only", &[]);
    }

    #[test]
    fn numbers_strings_and_spreads_are_one_token_each() {
        check("-1.5e+10 1...a", &["-1.5e+10", "1", "...", "a"]);
        check(
            r#""a # \" b" """c " \""" d""""#,
            &[r#""a # \" b""#, r#""""c " \""" d""""#],
        );
        check(
            "$a:[Int!]=-1@b",
            &["$", "a", ":", "[", "Int", "!", "]", "=", "-1", "@", "b"],
        );
    }

    #[test]
    fn unterminated_strings_and_unknown_characters_are_tokens() {
        check("\"a\nb", &["\"a", "b"]);
        check("\"a\\", &["\"a\\"]);
        check("é%", &["é", "%"]);
        check("\"\"\"a", &["\"\"\"a"]);
    }
}
