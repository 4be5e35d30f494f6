//! Warnings of responses that are a success, but probably not what their connectors expect.
//!
//! Such a response is mapped like any other; a warning only names it for the operator and for the
//! author of the connector.

use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use crate::source_client::connector::ConnectorClient;

/// A warning of the responses to one connector in one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceWarning {
    /// The subgraph of the connector.
    pub subgraph: Arc<str>,
    /// Coordinate of the connector: `<subgraph>:<Type>.<field>[n]`.
    pub coordinate: Arc<str>,
    /// The cause, as in the first of the responses.
    pub kind: SourceWarningKind,
    /// Number of responses with a warning of this kind.
    pub responses: usize,
}

/// The kinds of warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceWarningKind {
    /// A batch was answered with objects, and no object has a requested key.
    KeysNotFound {
        /// Number of requested keys.
        keys: usize,
        /// Number of objects in the response.
        objects: usize,
    },
    /// The body is not read because of its media type, and the input of the mapping is null.
    UnreadMediaType {
        /// Status of the response.
        status: StatusCode,
        /// Media type of the body, in lower case.
        media_type: Box<str>,
    },
}

impl SourceWarningKind {
    /// The stable name, for reports and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::KeysNotFound { .. } => "keys_not_found",
            Self::UnreadMediaType { .. } => "media_type_unread",
        }
    }
}

impl fmt::Display for SourceWarningKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeysNotFound { keys, objects } => write!(
                f,
                "no object of the response has a requested key ({objects} in the response, {keys} requested)"
            ),
            Self::UnreadMediaType { status, media_type } => write!(
                f,
                "the body of the response ({status}) is not read because its media type is `{media_type}`; it is null for the mapping"
            ),
        }
    }
}

/// The warnings of one operation, one for each connector and kind.
#[derive(Debug, Default)]
pub(crate) struct SourceWarnings(Vec<SourceWarning>);

impl SourceWarnings {
    /// Adds a warning of one response.
    pub(crate) fn add(&mut self, client: &ConnectorClient, kind: SourceWarningKind) {
        let known = self.0.iter_mut().find(|known| {
            known.coordinate == client.coordinate && known.kind.as_str() == kind.as_str()
        });
        if let Some(known) = known {
            known.responses += 1;
        } else if self.0.len() < MAX_WARNINGS {
            self.0.push(SourceWarning {
                subgraph: Arc::clone(&client.subgraph),
                coordinate: Arc::clone(&client.coordinate),
                kind,
                responses: 1,
            });
        }
    }

    pub(crate) fn into_list(self) -> Vec<SourceWarning> {
        self.0
    }
}

/// Maximum number of warnings of one operation.
const MAX_WARNINGS: usize = 64;
