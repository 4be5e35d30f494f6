//! Error messages for unexpected characters, and the syntax of other languages that they may come
//! from.

use super::Parser;
use crate::mapping::error::ParseError;
use crate::mapping::remedy::CHOICE;
use crate::mapping::scan::is_name_part;
use crate::mapping::version::Version;

impl Parser<'_> {
    /// Whether the previous character belongs to a name or a number.
    pub(super) fn touches_name(&self) -> bool {
        self.scan.before().is_some_and(is_name_part)
    }

    pub(super) fn unusual_key(&self) -> ParseError {
        let error = self.unexpected("the next item");
        if error.help.is_some() {
            return error;
        }
        error.help(QUOTE)
    }

    /// The error where two members, elements or arguments have no comma between them.
    pub(super) fn missing_comma(&self, expected: &str) -> ParseError {
        let is_next = |c: char| c.is_alphanumeric() || "_'\"$@".contains(c);
        let error = self.unexpected(expected);
        if self.scan.peek().is_some_and(is_next) && !self.is_after_question() {
            error.help("write a comma between two of them, as in `$([1, 2])`")
        } else {
            error
        }
    }

    pub(super) fn unexpected(&self, expected: &str) -> ParseError {
        let at = self.scan.at();
        let Some(found) = self.scan.peek() else {
            return ParseError::new(at..at, format!("expected {expected}, found the end"));
        };
        let error = ParseError::new(
            at..at + found.len_utf8(),
            format!("expected {expected}, found `{}`", found.escape_debug()),
        );
        match self.foreign_syntax(found) {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// The remedy for syntax of another language, or for a key that is not a plain name.
    fn foreign_syntax(&self, found: char) -> Option<String> {
        let rest = self.scan.rest();
        if self.is_after_question() && rest.contains(':') {
            return Some(format!("write a choice as {CHOICE}"));
        }
        if rest.starts_with("||") && self.version >= Version::V0_3 {
            return Some("write `a->or($.b)`, and a default as `$(a ?? 'x')`".to_owned());
        }
        if let Some((_, help)) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            return Some((*help).to_owned());
        }
        let text = match found {
            '-' if self.scan.before().is_some_and(char::is_whitespace) => {
                "subtract with `->sub(1)`"
            }
            '?' if rest.starts_with("??") || rest.starts_with("?!") => self.choice_help(),
            '[' => return Some(self.bracket_help()),
            '(' if self.touches_name() => {
                "call a method with an arrow, as in `names->map(@.first)`"
            }
            '{' if !self.scan.text_before().ends_with("...") => {
                "remove the braces: members are written without, as in `id name: fullName`"
            }
            '`' => "write text as `$('text')`",
            '0'..='9' if self.scan.before() == Some('.') => {
                let digits = rest.find(|c: char| !c.is_ascii_digit());
                let digits = rest.get(..digits.unwrap_or(rest.len()))?;
                return Some(format!("read an element of a list with `->get({digits})`"));
            }
            '=' => "write the new name first, with a colon, as in `name: fullName`",
            _ if found.is_alphanumeric() || found == '-' => QUOTE,
            _ => return None,
        };
        Some(text.to_owned())
    }

    /// Whether the text before is `… ?`.
    fn is_after_question(&self) -> bool {
        let before = self.scan.text_before().trim_end();
        before.ends_with('?') && !before.ends_with("??")
    }

    /// The remedy for `names[0]`, `names[*]`, `names['first']` and `created[gte]`.
    fn bracket_help(&self) -> String {
        let rest = self.scan.rest();
        let end = rest.find(']').unwrap_or(rest.len());
        let inside = rest.get(1..end).unwrap_or_default().trim();
        let number = inside.strip_prefix('-').unwrap_or(inside);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number {
            return format!("read an element of a list with `->get({inside})`");
        }
        if inside.is_empty() || inside == "*" {
            return "remove the brackets: a path applies to each element of a list, as in \
                    `items.name`"
                .to_owned();
        }
        if inside.starts_with(['\'', '"']) {
            return format!("read a member with `.{inside}`");
        }
        let before = self.scan.text_before();
        let name = before.rfind(|c| !is_name_part(c)).map_or(0, |at| at + 1);
        let name = before.get(name..).unwrap_or_default();
        let is_plain = |c: char| is_name_part(c) || "[].-".contains(c);
        let key = rest.find(|c| !is_plain(c)).unwrap_or(rest.len());
        let key = rest.get(..key).unwrap_or_default();
        format!("quote a key that is not a plain name: `'{name}{key}'`")
    }

    fn choice_help(&self) -> &'static str {
        if self.version < Version::V0_3 {
            "`??` and `?!` need connect v0.3"
        } else {
            "write operators in parentheses, as in `$(a ?? 'x')`"
        }
    }
}

const QUOTE: &str = "quote a key that is not a plain name, as in `'content-type'`";

/// Operators of other languages, with the method that replaces each; longer ones first.
const OPERATORS: [(&str, &str); 14] = [
    ("//", "comments begin with `#`"),
    ("==", "compare with `->eq('x')`"),
    ("!=", "compare with `->ne(null)`"),
    ("&&", "write `a->and($.b)`"),
    ("||", "write `a->or($.b)`"),
    (">=", "compare with `->gte(1)`"),
    ("<=", "compare with `->lte(1)`"),
    ("!", "write `a->not`"),
    (">", "compare with `->gt(1)`"),
    ("<", "compare with `->lt(1)`"),
    (
        "+",
        "join text with `$([$.first, ' ', $.last])->joinNotNull('')`, and add numbers with \
         `->add(1)`",
    ),
    ("*", "multiply with `->mul(2)`"),
    ("/", "divide with `->div(2)`"),
    ("%", "the remainder is `->mod(2)`"),
];
