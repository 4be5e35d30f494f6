//! Standard output and standard error.
//!
//! Results go to standard output, messages about them to standard error. A closed pipe, such as
//! that of `head`, is not an error.

use std::io::Write as _;

use schema::diagnostic::Diagnostic;

use super::Failed;

/// Prints the result of a command, with one newline at its end.
pub(super) fn output(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", text.trim_end_matches('\n'));
}

/// Prints a message to standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error with the chain of its sources.
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

/// Diagnostics as text, separated by empty lines.
pub(super) fn rendered(diagnostics: &[Diagnostic]) -> String {
    let texts: Vec<String> = diagnostics.iter().map(Diagnostic::render).collect();
    texts.join("\n\n")
}
