//! Output: results on stdout, notes on stderr.

use std::io::Write as _;

/// Prints a result to stdout.
pub(crate) fn output(text: &str) {
    // Fails if the reader, such as `head`, has closed the pipe, which is not an error.
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end());
}

/// Prints a note about the progress to stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
