//! The log lines of failed calls, a bounded number for each request.

use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

use resolvers::error::{FetchError, FetchFailure};

use crate::clip::clipped;
use crate::config::log::Log;
use crate::request::id::RequestId;

/// Logs failed calls: one line for each different error of a source, with the number of calls that
/// failed with it, and one for the calls of all further errors.
pub(super) fn log_failures(failures: &[Arc<FetchFailure>], id: Option<&RequestId>, log: Log) {
    let id = id.map(RequestId::as_str);
    let lines = lines(failures, log);
    for line in &lines {
        let error = &line.failure.error;
        let clip = |text| clipped(text, log.field_length);
        let message = own_message(error).map(clip);
        let extensions = own_extensions(error).map(clip);
        tracing::warn!(
            request_id = id,
            service = &*line.failure.subgraph,
            connector = &*line.failure.coordinate,
            error = line.error,
            error_message = message.as_deref(),
            error_extensions = extensions.as_deref(),
            calls = (line.count > 1).then_some(line.count),
            "a call failed"
        );
    }
    let logged: usize = lines.iter().map(|line| line.count).sum();
    if failures.len() > logged {
        let calls = failures.len() - logged;
        tracing::warn!(request_id = id, calls, "further calls failed");
    }
}

#[derive(Debug)]
struct Line<'f> {
    /// The first failure of this kind.
    failure: &'f FetchFailure,
    error: String,
    count: usize,
}

/// At most `log.failures` lines, in the order of their first failures.
fn lines(failures: &[Arc<FetchFailure>], log: Log) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut known: HashMap<(&str, String), usize> = HashMap::new();
    for failure in failures {
        let error = clipped(&error_chain(&failure.error), log.field_length).into_owned();
        let key = (&*failure.coordinate, error);
        if let Some(line) = known.get(&key).and_then(|line| lines.get_mut(*line)) {
            line.count += 1;
        } else if lines.len() < log.failures.get() {
            lines.push(Line {
                failure,
                error: key.1.clone(),
                count: 1,
            });
            known.insert(key, lines.len() - 1);
        }
    }
    lines
}

/// The message of a connector's mapping, which is not part of the error's own text.
fn own_message(error: &FetchError) -> Option<&str> {
    match error {
        FetchError::Refused { message, .. } => message.as_deref(),
        _ => None,
    }
}

/// The extensions of an error as the source or its mapping returned them.
fn own_extensions(error: &FetchError) -> Option<&str> {
    match error {
        FetchError::Refused { extensions, .. } => extensions.as_deref(),
        FetchError::GraphqlError(error) => error.extensions.as_deref(),
        _ => None,
    }
}

/// The error with the chain of its sources.
fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use super::*;
    use crate::config::log::{LogFormat, LogLevel};

    fn failure(source: &str, error: FetchError) -> Arc<FetchFailure> {
        Arc::new(FetchFailure {
            subgraph: "users".into(),
            coordinate: source.into(),
            error,
        })
    }

    fn counts(failures: &[Arc<FetchFailure>]) -> Vec<(&str, String, usize)> {
        let log = Log {
            format: LogFormat::Text,
            level: LogLevel::Info,
            field_length: NonZeroUsize::new(30).unwrap(),
            failures: NonZeroUsize::new(3).unwrap(),
        };
        let lines = lines(failures, log).into_iter();
        let lines = lines.map(|line| (&*line.failure.coordinate, line.error, line.count));
        lines.collect()
    }

    #[test]
    fn equal_errors_share_a_line() {
        let timeout = || FetchError::Timeout(Duration::from_secs(1));
        let mut failures = vec![failure("a", timeout()), failure("b", timeout())];
        failures.extend((0..10_000).map(|_| failure("a", timeout())));
        let error = "no response within 1s".to_owned();

        let expected = vec![("a", error.clone(), 10_001), ("b", error, 1)];
        assert_eq!(counts(&failures), expected);
    }

    #[test]
    fn the_number_of_lines_and_their_lengths_are_bounded() {
        let build = |number: usize| FetchError::Build(format!("{number}{}", "x".repeat(200_000)));
        let failures: Vec<_> = (0..100).map(|number| failure("a", build(number))).collect();

        let counts = counts(&failures);

        assert_eq!(counts.len(), 3);
        assert!(counts.iter().all(|(_, error, _)| error.len() < 60));
    }
}
