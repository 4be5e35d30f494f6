//! Standard output and standard error.
//!
//! What a command was asked for goes to the first, everything about it to the second. A reader
//! that has gone away, as `head` does, is no problem of ours.

use std::io::Write as _;

use schema::diagnostic::Diagnostic;

use super::Failed;

/// Prints what was asked for, with one newline at its end.
pub(super) fn output(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n'));
}

/// Prints something about what is going on.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error and all that led to it.
pub(super) fn error(error: &dyn std::error::Error, help: Option<&str>) -> Failed {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    if let Some(help) = help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    note(&text);
    Failed
}

/// Diagnostics as a terminal shows them, an empty line between two.
pub(super) fn rendered(diagnostics: &[Diagnostic]) -> String {
    let texts: Vec<String> = diagnostics.iter().map(Diagnostic::render).collect();
    texts.join("\n\n")
}
