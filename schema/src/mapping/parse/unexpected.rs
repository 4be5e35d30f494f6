//! Error messages for unexpected characters.

use super::Parser;
use crate::mapping::error::ParseError;
use crate::mapping::scan::is_name_part;
use crate::mapping::version::Version;

impl Parser<'_> {
    /// Whether the previous character belongs to a name or a number.
    pub(super) fn touches_name(&self) -> bool {
        self.scan.before().is_some_and(is_name_part)
    }

    pub(super) fn unusual_key(&self) -> ParseError {
        self.unexpected("the next item")
            .help("quote a key that is not a plain name, as in `'content-type'`")
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
        match found {
            '?' if self.scan.rest().starts_with("??") || self.scan.rest().starts_with("?!") => {
                self.operator_help(error)
            }
            _ if found.is_alphanumeric() || found == '-' => {
                error.help("quote a key that is not a plain name, as in `'content-type'`")
            }
            _ => error,
        }
    }

    fn operator_help(&self, error: ParseError) -> ParseError {
        if self.version < Version::V0_3 {
            error.help("`??` and `?!` need connect v0.3")
        } else {
            error.help("write operators inside `$(…)`")
        }
    }
}
