//! Why a field is null: what the client is told of it, and what the log is.

use std::error::Error;
use std::sync::Arc;

use http::StatusCode;
use resolvers::error::{FetchError, FetchFailure, FieldError, FieldErrorKind, PathElement};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::append_json;
use crate::request::id::RequestId;

/// Appends `,"errors":[…]`, or nothing when there are none.
pub(super) fn append_errors(errors: &[FieldError], body: &mut Vec<u8>) {
    if errors.is_empty() {
        return;
    }
    body.extend_from_slice(b",\"errors\":[");
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        append_json(&error_body(error), body);
    }
    body.push(b']');
}

/// What clients branch on.
pub(super) fn code(kind: &FieldErrorKind) -> &'static str {
    match kind {
        FieldErrorKind::NonNull { .. } => "UNEXPECTED_NULL",
        FieldErrorKind::WrongType { .. } => "UNEXPECTED_TYPE",
        FieldErrorKind::More(_) => "MORE_ERRORS",
        FieldErrorKind::Fetch(failure) => match &failure.error {
            FetchError::Build(_) => "SOURCE_REQUEST_FAILED",
            FetchError::TooMany(_) => "REQUEST_LIMIT_EXCEEDED",
            FetchError::Connect(_) | FetchError::Broken(_) => "SOURCE_UNAVAILABLE",
            FetchError::Timeout(_) => "SOURCE_TIMEOUT",
            FetchError::Refused { .. } => "CONNECTOR_FETCH",
            FetchError::GraphqlError(_) | FetchError::Status(_) => "DOWNSTREAM_SERVICE_ERROR",
            FetchError::Panicked => "INTERNAL_SERVER_ERROR",
            FetchError::TooLarge(_)
            | FetchError::NotJson { .. }
            | FetchError::NotAList
            | FetchError::NotGraphql(_)
            | FetchError::UnknownType(_) => "SOURCE_BAD_RESPONSE",
        },
    }
}

/// What a client finds in `errors` for a failed call, without the path.
pub(super) fn call_error_json(failure: FetchFailure) -> Value {
    let error = FieldError {
        path: Vec::new(),
        kind: FieldErrorKind::Fetch(Arc::new(failure)),
    };
    // Text, numbers and JSON of its own can always be written.
    serde_json::to_value(error_body(&error)).unwrap_or_default()
}

/// Logs every failed call once, however many fields it cost.
pub(super) fn log_failures(failures: &[Arc<FetchFailure>], id: Option<&RequestId>) {
    for failure in failures {
        tracing::warn!(
            request_id = id.map(RequestId::as_str),
            service = &*failure.subgraph,
            connector = &*failure.coordinate,
            error = error_chain(&failure.error),
            "a call failed"
        );
    }
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

fn error_body(error: &FieldError) -> FieldErrorBody<'_> {
    FieldErrorBody {
        message: message(&error.kind),
        path: Path(&error.path),
        extensions: extensions(&error.kind),
    }
}

fn message(kind: &FieldErrorKind) -> String {
    let text = match kind {
        FieldErrorKind::NonNull { coordinate } => {
            return format!("`{coordinate}` may not be null, and its source gave no value");
        }
        FieldErrorKind::WrongType {
            coordinate,
            type_name,
        } => {
            return format!("`{coordinate}` is `{type_name}`, and its source gave something else");
        }
        FieldErrorKind::More(count) => return format!("{count} more errors are not listed"),
        FieldErrorKind::Fetch(failure) => match &failure.error {
            FetchError::Build(_) => "the call to the source could not be made",
            FetchError::TooMany(_) => "the operation made as many calls to the source as it may",
            FetchError::Connect(_) => "the source cannot be reached",
            FetchError::Broken(_) => "the connection to the source broke",
            FetchError::Timeout(_) => "the source did not answer in time",
            FetchError::TooLarge(_) => "the source answered with too much",
            FetchError::Refused {
                message: Some(message),
                ..
            } => message,
            FetchError::Refused { message: None, .. } | FetchError::Status(_) => {
                "the source refused the call"
            }
            FetchError::NotJson { .. } => "the source answered with something that is not JSON",
            FetchError::NotAList => "the source answered a batch with something that is not a list",
            FetchError::GraphqlError(error) => &error.message,
            FetchError::NotGraphql(_) => {
                "the source answered with something that is not what it was asked for"
            }
            FetchError::UnknownType(_) => {
                "the source answered with an object of a type that the graph does not know there"
            }
            FetchError::Panicked => "something went wrong in the source",
        },
    };
    text.to_owned()
}

fn extensions(kind: &FieldErrorKind) -> Map<String, Value> {
    let mut extensions = Map::new();
    extensions.insert("code".to_owned(), code(kind).into());
    if let FieldErrorKind::Fetch(failure) = kind {
        match &failure.error {
            FetchError::Refused {
                status,
                extensions: own,
                ..
            } => {
                insert_status(*status, &mut extensions);
                merge(own_extensions(own.as_deref()), &mut extensions);
            }
            FetchError::NotJson { status, .. } | FetchError::Status(status) => {
                insert_status(*status, &mut extensions);
            }
            FetchError::GraphqlError(error) => {
                merge(own_extensions(error.extensions.as_deref()), &mut extensions);
                let service = failure.subgraph.as_ref();
                extensions.insert("serviceName".to_owned(), service.into());
            }
            _ => {}
        }
    }
    extensions
}

fn insert_status(status: StatusCode, extensions: &mut Map<String, Value>) {
    let http = serde_json::json!({ "status": status.as_u16() });
    extensions.insert("http".to_owned(), http);
}

/// `errors.extensions` of the connector: a JSON object.
fn own_extensions(object: Option<&str>) -> Map<String, Value> {
    object
        .and_then(|object| serde_json::from_str(object).ok())
        .unwrap_or_default()
}

/// Objects merge, so that a connector's `http.url` does not cost `http.status`; else `from` wins.
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

/// The error and everything that led to it.
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
        let path = vec![PathElement::Key("user".into()), PathElement::Index(3)];
        let mut body = Vec::new();
        append_errors(&[FieldError { path, kind }], &mut body);
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
    fn a_connector_decides_message_and_extensions_of_its_refusals() {
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
    fn a_subgraph_decides_message_and_extensions_of_its_errors() {
        let subgraph_error = |extensions: Option<&str>| {
            failed(FetchError::GraphqlError(SubgraphError {
                message: "no stock".to_owned(),
                extensions: extensions.map(str::to_owned),
            }))
        };
        check(
            subgraph_error(Some(r#"{"code":"EMPTY","left":0,"serviceName":"inner"}"#)),
            r#","errors":[{"message":"no stock","path":["user",3],"extensions":{"code":"EMPTY","left":0,"serviceName":"users"}}]"#,
        );
        check(
            subgraph_error(None),
            r#","errors":[{"message":"no stock","path":["user",3],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","serviceName":"users"}}]"#,
        );
    }

    #[test]
    fn no_errors_append_nothing() {
        let mut body = Vec::new();

        append_errors(&[], &mut body);

        assert!(body.is_empty());
    }
}
