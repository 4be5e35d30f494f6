//! What a person sees: answers on the standard output, notes beside them.

use std::io::Write as _;

/// Prints what was asked for.
pub(crate) fn output(text: &str) {
    // Who pipes us into `head` has seen enough.
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end());
}

/// Prints something about what is going on.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
