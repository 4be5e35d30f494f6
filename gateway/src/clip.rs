//! Clips texts that come from clients and services, so that none of them fills the log.

use std::borrow::Cow;
use std::num::NonZeroUsize;

/// The text, or its first `max` characters with an ellipsis and the number of all of them.
pub(crate) fn clipped(text: &str, max: NonZeroUsize) -> Cow<'_, str> {
    // Bytes are at least as many as characters, and known without counting.
    if text.len() <= max.get() {
        return Cow::Borrowed(text);
    }
    let Some((end, _)) = text.char_indices().nth(max.get()) else {
        return Cow::Borrowed(text);
    };
    let start = text.get(..end).unwrap_or_default();
    let count = text.chars().count();
    Cow::Owned(format!("{start}… ({count} characters)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let max = NonZeroUsize::new(4).unwrap();
        assert_eq!(clipped(text, max), expected);
    }

    #[test]
    fn a_long_text_is_cut_between_characters_and_its_length_is_said() {
        check("", "");
        check("café", "café");
        check("cafés", "café… (5 characters)");
        check(&"é".repeat(2000), "éééé… (2000 characters)");
    }
}
