//! The log lines of unexpected responses of connectors: one a minute for each connector and kind.
//!
//! A service that always answers like that would write a line with each request. The bound on
//! kinds is that of the graph: coordinates are names of its connectors.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use resolvers::warning::SourceWarning;
use tokio::time::Instant;

use crate::clip::clipped;
use crate::config::log::Log;
use crate::request::id::RequestId;

/// The warnings of all requests, by coordinate and kind.
#[derive(Debug, Default)]
pub(crate) struct WarningLog(Mutex<BTreeMap<(Arc<str>, &'static str), Warnings>>);

/// The warnings of one kind of one connector.
#[derive(Debug)]
struct Warnings {
    logged_at: Instant,
    /// Number of responses since then that have no line.
    suppressed: u64,
    /// Number of responses since the start.
    total: u64,
}

/// The number of unexpected responses to a connector, for metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WarningCount {
    pub(crate) coordinate: Arc<str>,
    pub(crate) kind: &'static str,
    pub(crate) responses: u64,
}

impl WarningLog {
    /// Logs the warnings of one request that are due.
    pub(super) fn log(&self, warnings: &[SourceWarning], id: Option<&RequestId>, log: Log) {
        for warning in warnings {
            let Some(suppressed) = self.record(warning) else {
                continue;
            };
            let text = warning.kind.to_string();
            tracing::warn!(
                request_id = id.map(RequestId::as_str),
                service = &*warning.subgraph,
                connector = &*warning.coordinate,
                warning = &*clipped(&text, log.field_length),
                suppressed = (suppressed > 0).then_some(suppressed),
                "unexpected response"
            );
        }
    }

    /// Counts a warning; returns the number of suppressed ones before it if its line is due.
    fn record(&self, warning: &SourceWarning) -> Option<u64> {
        let now = Instant::now();
        let responses = warning.responses as u64;
        let key = (Arc::clone(&warning.coordinate), warning.kind.as_str());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.get_mut(&key) else {
            let new = Warnings {
                logged_at: now,
                suppressed: responses.saturating_sub(1),
                total: responses,
            };
            known.insert(key, new);
            return Some(0);
        };
        known.total += responses;
        if now.duration_since(known.logged_at) < INTERVAL {
            known.suppressed += responses;
            return None;
        }
        known.logged_at = now;
        Some(std::mem::replace(
            &mut known.suppressed,
            responses.saturating_sub(1),
        ))
    }

    /// The counts of all kinds of warnings that occurred.
    pub(crate) fn counts(&self) -> Vec<WarningCount> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = known
            .iter()
            .map(|((coordinate, kind), warnings)| WarningCount {
                coordinate: Arc::clone(coordinate),
                kind,
                responses: warnings.total,
            });
        counts.collect()
    }
}

/// Minimum time between two lines of one connector and kind.
const INTERVAL: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use resolvers::warning::SourceWarningKind;

    use super::*;

    fn warning(connector: &str, responses: usize) -> SourceWarning {
        SourceWarning {
            subgraph: "g".into(),
            coordinate: connector.into(),
            kind: SourceWarningKind::KeysNotFound {
                keys: 1,
                objects: 1,
            },
            responses,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connector_has_a_line_a_minute_with_the_number_of_suppressed_ones() {
        let log = WarningLog::default();

        let lines: Vec<_> = ["g:A", "g:A", "g:B", "g:A"]
            .map(|connector| log.record(&warning(connector, 2)))
            .into();
        assert_eq!(lines, [Some(0), None, Some(0), None]);
        tokio::time::advance(INTERVAL / 2).await;
        assert_eq!(log.record(&warning("g:A", 1)), None);
        tokio::time::advance(INTERVAL / 2).await;
        // One of the first request, two each of the next two, and one.
        assert_eq!(log.record(&warning("g:A", 3)), Some(6));
        tokio::time::advance(INTERVAL).await;
        assert_eq!(log.record(&warning("g:A", 1)), Some(2));

        let counts = log.counts().into_iter();
        let counts: Vec<_> = counts
            .map(|count| (count.coordinate.to_string(), count.kind, count.responses))
            .collect();
        let kind = "keys_not_found";
        assert_eq!(
            counts,
            [("g:A".to_owned(), kind, 11), ("g:B".to_owned(), kind, 2)]
        );
    }
}
