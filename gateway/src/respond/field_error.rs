//! Field errors: entries of `errors` for clients. `failure_log` has their causes.

use std::sync::Arc;

use http::StatusCode;
use resolvers::error::{FetchError, FetchFailure, FieldError, FieldErrorKind, PathElement};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::{VisibleErrors, append_json, redaction};
use crate::config::errors::Errors;

/// Appends `,"errors":[…]`, or nothing if there are no errors.
///
/// Messages and extensions of sources may be long: a last entry counts the errors with which the
/// list would have more than `max_bytes`.
pub(super) fn append_errors(errors: &[FieldError], visible: VisibleErrors<'_>, body: &mut Vec<u8>) {
    let VisibleErrors { exposed, max_bytes } = visible;
    if errors.is_empty() {
        return;
    }
    body.extend_from_slice(b",\"errors\":[");
    let start = body.len();
    for (index, error) in errors.iter().enumerate() {
        let end = body.len();
        if index > 0 {
            body.push(b',');
        }
        append_json(&error_body(error, exposed), body);
        if body.len() - start > max_bytes {
            body.truncate(end);
            let separator: &[u8] = if index > 0 { b"," } else { b"" };
            body.extend_from_slice(separator);
            let unlisted = unlisted(errors.len() - index);
            append_json(&error_body(&unlisted, exposed), body);
            break;
        }
    }
    body.push(b']');
}

/// An entry for errors that are not listed.
fn unlisted(count: usize) -> FieldError {
    FieldError {
        path: Vec::new(),
        kind: FieldErrorKind::More(count),
    }
}

/// `extensions.code`.
pub(super) fn code(kind: &FieldErrorKind) -> &'static str {
    match kind {
        FieldErrorKind::NonNull { .. } => "UNEXPECTED_NULL",
        FieldErrorKind::WrongType { .. } => "UNEXPECTED_TYPE",
        FieldErrorKind::More(_) => "MORE_ERRORS",
        FieldErrorKind::ResponseTooLarge(_) => "RESPONSE_TOO_LARGE",
        FieldErrorKind::Fetch(failure) => match &failure.error {
            FetchError::Build(_) => "SOURCE_REQUEST_FAILED",
            FetchError::TooMany(_) => "REQUEST_LIMIT_EXCEEDED",
            FetchError::MemoryExceeded(_) => "OPERATION_MEMORY_EXCEEDED",
            FetchError::Connect(_) | FetchError::Broken(_) => "SOURCE_UNAVAILABLE",
            FetchError::Timeout(_) => "SOURCE_TIMEOUT",
            FetchError::Overloaded(_) => "SOURCE_OVERLOADED",
            FetchError::Refused { .. } => "CONNECTOR_FETCH",
            FetchError::GraphqlError(_) | FetchError::Status(_) => "DOWNSTREAM_SERVICE_ERROR",
            FetchError::Panicked => "INTERNAL_SERVER_ERROR",
            FetchError::TooLarge(_)
            | FetchError::NotJson { .. }
            | FetchError::Undecodable { .. }
            | FetchError::NotAList
            | FetchError::NotGraphql(_)
            | FetchError::UnknownType(_) => "SOURCE_BAD_RESPONSE",
        },
    }
}

/// The entry of `errors` for a failed call, without a path.
pub(super) fn call_error_json(failure: FetchFailure, exposed: &Errors) -> Value {
    let error = FieldError {
        path: Vec::new(),
        kind: FieldErrorKind::Fetch(Arc::new(failure)),
    };
    // Serializing strings, numbers and JSON values cannot fail.
    serde_json::to_value(error_body(&error, exposed)).unwrap_or_default()
}

#[derive(Serialize)]
struct FieldErrorBody<'e> {
    message: String,
    #[serde(skip_serializing_if = "Path::is_empty")]
    path: Path<'e>,
    extensions: Map<String, Value>,
}

struct Path<'e>(&'e [PathElement]);

impl Path<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Path<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|element| match element {
            PathElement::Key(key) => Value::from(&**key),
            PathElement::Index(index) => Value::from(*index),
        }))
    }
}

fn error_body<'e>(error: &'e FieldError, exposed: &Errors) -> FieldErrorBody<'e> {
    FieldErrorBody {
        message: message(&error.kind, exposed),
        path: Path(&error.path),
        extensions: extensions(&error.kind, exposed),
    }
}

fn message(kind: &FieldErrorKind, exposed: &Errors) -> String {
    match kind {
        FieldErrorKind::NonNull { coordinate } => {
            format!("`{coordinate}` is non-null, but its source returned no value")
        }
        FieldErrorKind::WrongType {
            coordinate,
            type_name,
        } => {
            format!("`{coordinate}` has type `{type_name}`, but its source returned another type")
        }
        FieldErrorKind::More(count) => format!("{count} more errors are not listed"),
        FieldErrorKind::ResponseTooLarge(limit) => format!(
            "the response has more than {limit} bytes (`limits.response_size`); select fewer \
             fields, or ask for fewer items"
        ),
        FieldErrorKind::Fetch(failure) => {
            let exposure = exposed.exposure(&failure.subgraph);
            let own = redaction::visible_message(&failure.error, exposure);
            own.map_or_else(|| general_message(&failure.error), str::to_owned)
        }
    }
}

/// A message without details of the source.
fn general_message(error: &FetchError) -> String {
    let text = match error {
        FetchError::MemoryExceeded(limit) => {
            return format!(
                "the operation would hold more than {limit} bytes \
                 (`limits.operation_memory`); select fewer fields, or ask for fewer items"
            );
        }
        FetchError::TooMany(limit) => {
            return format!(
                "the operation reached its maximum of {limit} calls to the source \
                 (`connectors.calls_per_operation`)"
            );
        }
        FetchError::Overloaded(_) => {
            "the source has as many calls in flight and waiting as it may \
             (`connectors.concurrent_calls`, `connectors.queued_calls`); try again later"
        }
        FetchError::Build(_) => "the request to the source could not be built",
        FetchError::Connect(_) => "the source cannot be reached",
        FetchError::Broken(_) => "the connection to the source broke",
        FetchError::Timeout(_) => "the source did not answer in time",
        FetchError::TooLarge(_) => "the response of the source is too large",
        FetchError::Refused { .. } | FetchError::Status(_) => "the source refused the call",
        FetchError::NotJson { .. } => "the response of the source is not JSON",
        FetchError::Undecodable { .. } => {
            "the response of the source has a content encoding that cannot be decoded"
        }
        FetchError::NotAList => "the response of the source to a batch is not a list",
        FetchError::GraphqlError(_) => redaction::MESSAGE,
        FetchError::NotGraphql(_) => "the response of the source does not match its request",
        FetchError::UnknownType(_) => {
            "the source returned an object whose type is not possible for the field"
        }
        FetchError::Panicked => "internal error in the source",
    };
    text.to_owned()
}

fn extensions(kind: &FieldErrorKind, exposed: &Errors) -> Map<String, Value> {
    let mut extensions = Map::new();
    extensions.insert("code".to_owned(), code(kind).into());
    let FieldErrorKind::Fetch(failure) = kind else {
        return extensions;
    };
    match &failure.error {
        FetchError::Refused { status, .. }
        | FetchError::NotJson { status, .. }
        | FetchError::Undecodable { status, .. }
        | FetchError::Status(status) => insert_status(*status, &mut extensions),
        _ => {}
    }
    let exposure = exposed.exposure(&failure.subgraph);
    let own = redaction::visible_extensions(failure, exposure);
    merge(own, &mut extensions);
    extensions
}

fn insert_status(status: StatusCode, extensions: &mut Map<String, Value>) {
    let http = serde_json::json!({ "status": status.as_u16() });
    extensions.insert("http".to_owned(), http);
}

/// Merges objects recursively, so that a connector's `http.url` does not replace `http.status`;
/// other values of `from` replace those of `into`.
fn merge(from: Map<String, Value>, into: &mut Map<String, Value>) {
    for (name, value) in from {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(more)) => merge(more, inner),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use resolvers::error::SubgraphError;

    use super::*;

    fn failed(error: FetchError) -> FieldErrorKind {
        FieldErrorKind::Fetch(Arc::new(FetchFailure {
            subgraph: "users".into(),
            coordinate: "users:Query.user[0]".into(),
            error,
        }))
    }

    #[track_caller]
    fn check(kind: FieldErrorKind, expected: &str) {
        let visible = VisibleErrors {
            exposed: &Errors::default(),
            max_bytes: usize::MAX,
        };
        let path = vec![PathElement::Key("user".into()), PathElement::Index(3)];
        let mut body = Vec::new();
        append_errors(&[FieldError { path, kind }], visible, &mut body);
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn a_field_error_has_a_message_a_path_and_a_code() {
        check(
            failed(FetchError::Timeout(Duration::from_secs(1))),
            r#","errors":[{"message":"the source did not answer in time","path":["user",3],"extensions":{"code":"SOURCE_TIMEOUT"}}]"#,
        );
    }

    #[test]
    fn a_connector_can_set_message_and_extensions_of_a_refused_call() {
        check(
            failed(FetchError::Refused {
                status: StatusCode::NOT_FOUND,
                message: Some("no \"such\" user".to_owned()),
                extensions: Some(r#"{"code":"NOT_FOUND","http":{"why":1}}"#.to_owned()),
            }),
            r#","errors":[{"message":"no \"such\" user","path":["user",3],"extensions":{"code":"NOT_FOUND","http":{"status":404,"why":1}}}]"#,
        );
    }

    #[test]
    fn a_redacted_subgraph_error_has_a_general_message_and_a_code() {
        let subgraph_error = |extensions: Option<&str>| {
            failed(FetchError::GraphqlError(SubgraphError {
                message: "connect ECONNREFUSED 10.0.0.5:5432 user=admin".to_owned(),
                extensions: extensions.map(str::to_owned),
            }))
        };
        check(
            subgraph_error(Some(r#"{"code":"EMPTY","stacktrace":["at db.js:3"]}"#)),
            r#","errors":[{"message":"the source returned an error","path":["user",3],"extensions":{"code":"EMPTY"}}]"#,
        );
        check(
            subgraph_error(None),
            r#","errors":[{"message":"the source returned an error","path":["user",3],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR"}}]"#,
        );
    }

    #[test]
    fn errors_over_the_maximum_of_bytes_are_counted() {
        let error = |message: &str| FieldError {
            path: Vec::new(),
            kind: failed(FetchError::Refused {
                status: StatusCode::CONFLICT,
                message: Some(message.to_owned()),
                extensions: None,
            }),
        };
        let long = "x".repeat(1_000);
        let visible = VisibleErrors {
            exposed: &Errors::default(),
            max_bytes: 500,
        };
        let mut body = Vec::new();

        append_errors(
            &[error("a"), error(&long), error(&long)],
            visible,
            &mut body,
        );

        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#","errors":[{"message":"a","extensions":{"code":"CONNECTOR_FETCH","http":{"status":409}}},{"message":"2 more errors are not listed","extensions":{"code":"MORE_ERRORS"}}]"#
        );
    }

    #[test]
    fn no_errors_append_nothing() {
        let visible = VisibleErrors {
            exposed: &Errors::default(),
            max_bytes: 0,
        };
        let mut body = Vec::new();

        append_errors(&[], visible, &mut body);

        assert!(body.is_empty());
    }
}
