//! Why something is not done, as clients of a GraphQL service are told.

use async_graphql::{ErrorExtensionValues, ServerError};

/// A sentence for people, and a code for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: &'static str,
    message: String,
}

impl Refusal {
    /// Understood, and not possible.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self {
            code: "UNPROCESSABLE",
            message: message.into(),
        }
    }

    /// Not possible as things stand.
    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self {
            code: "CONFLICT",
            message: message.into(),
        }
    }

    /// The error without a place; whoever knows the path adds it.
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
