//! Errors of the subgraph, as GraphQL errors with a code.

use async_graphql::{ErrorExtensionValues, ServerError};

/// An error with a message and a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    /// The operation is well-formed but invalid.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self {
            code: "UNPROCESSABLE",
            message: message.into(),
        }
    }

    /// The current state does not allow the operation.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self {
            code: "CONFLICT",
            message: message.into(),
        }
    }

    /// The error without a path, which the caller sets.
    pub(super) fn into_server_error(self) -> ServerError {
        let mut error = ServerError::new(self.message, None);
        error.extensions = Some(code(self.code));
        error
    }
}

impl From<Refusal> for async_graphql::Error {
    fn from(refusal: Refusal) -> Self {
        let mut error = Self::new(refusal.message);
        error.extensions = Some(code(refusal.code));
        error
    }
}

fn code(code: &str) -> ErrorExtensionValues {
    let mut values = ErrorExtensionValues::default();
    values.set("code", code);
    values
}
