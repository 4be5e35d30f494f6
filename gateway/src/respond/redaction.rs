//! Redaction: the parts of a source's error that clients see.
//!
//! A mapping of a connector is written for clients, by the author of the graph. The errors of a
//! GraphQL subgraph are not: drivers and frameworks put addresses, statements and stack traces into
//! their messages and extensions. `config::errors` has the settings; the log has every error whole.

use resolvers::error::{FetchError, FetchFailure};
use serde_json::{Map, Value};

use crate::config::errors::{Exposure, ExtensionKeys, Messages};

/// The message from the source or its mapping; `None` if it has none, or clients do not see it.
pub(super) fn visible_message<'e>(error: &'e FetchError, exposure: &Exposure) -> Option<&'e str> {
    match error {
        FetchError::Refused { message, .. } if is_mapping_visible(exposure) => message.as_deref(),
        FetchError::GraphqlError(error) if exposure.messages == Messages::All => {
            Some(&error.message)
        }
        _ => None,
    }
}

/// The members of `extensions` from the source or its mapping that clients see.
pub(super) fn visible_extensions(
    failure: &FetchFailure,
    exposure: &Exposure,
) -> Map<String, Value> {
    match &failure.error {
        FetchError::Refused { extensions, .. } => {
            mapped_extensions(extensions.as_deref(), exposure)
        }
        FetchError::GraphqlError(error) => {
            let own = object(error.extensions.as_deref());
            let mut visible = allowed(own, &exposure.extensions);
            if exposure.extensions.contains(SERVICE_NAME) {
                let subgraph = failure.subgraph.as_ref();
                visible.insert(SERVICE_NAME.to_owned(), subgraph.into());
            }
            visible
        }
        _ => Map::new(),
    }
}

/// The members of a mapped `extensions` that clients see.
pub(super) fn mapped_extensions(
    extensions: Option<&str>,
    exposure: &Exposure,
) -> Map<String, Value> {
    let own = object(extensions);
    if is_mapping_visible(exposure) {
        own
    } else {
        allowed(own, &exposure.extensions)
    }
}

/// Whether clients see what mappings write for them.
pub(super) fn is_mapping_visible(exposure: &Exposure) -> bool {
    exposure.messages != Messages::Redacted
}

fn allowed(mut extensions: Map<String, Value>, keys: &ExtensionKeys) -> Map<String, Value> {
    let is_listed = *keys != ExtensionKeys::All;
    extensions.retain(|name, value| {
        keys.contains(name) && (name != CODE || !is_listed || is_error_code(value))
    });
    extensions
}

/// Whether a value is a code, rather than text or data under that name.
fn is_error_code(value: &Value) -> bool {
    match value {
        Value::String(code) => {
            let is_word = code.bytes().all(|byte| byte.is_ascii_graphic());
            is_word && (1..=MAX_CODE_BYTES).contains(&code.len())
        }
        Value::Number(_) => true,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Parses `extensions` from a connector or a subgraph: a JSON object.
fn object(text: Option<&str>) -> Map<String, Value> {
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The message of an error whose own message clients do not see.
pub(super) const MESSAGE: &str = "the source returned an error";

const CODE: &str = "code";

/// The member with the name of the subgraph.
const SERVICE_NAME: &str = "serviceName";

/// Maximum bytes of a code from a subgraph; real ones are words.
const MAX_CODE_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use resolvers::error::SubgraphError;
    use serde_json::json;

    use super::*;

    const EXTENSIONS: &str = r#"{"code":"EMPTY","left":0,"serviceName":"inner",
        "stacktrace":["at pg.connect (10.0.0.5:5432)"],"exception":{"code":"ECONNREFUSED"}}"#;

    fn exposure(messages: Messages, extensions: &[&str]) -> Exposure {
        let names = extensions.iter().map(|name| (*name).to_owned());
        Exposure {
            messages,
            extensions: match extensions {
                ["*"] => ExtensionKeys::All,
                _ => ExtensionKeys::Listed(names.collect()),
            },
        }
    }

    fn graphql_error(extensions: &str) -> FetchFailure {
        failure(FetchError::GraphqlError(SubgraphError {
            message: "connect ECONNREFUSED 10.0.0.5:5432 user=admin".to_owned(),
            extensions: Some(extensions.to_owned()),
        }))
    }

    fn refused() -> FetchFailure {
        failure(FetchError::Refused {
            status: http::StatusCode::CONFLICT,
            message: Some("one per customer".to_owned()),
            extensions: Some(r#"{"code":"LIMIT","max":1}"#.to_owned()),
        })
    }

    fn failure(error: FetchError) -> FetchFailure {
        FetchFailure {
            subgraph: "users".into(),
            coordinate: "users".into(),
            error,
        }
    }

    #[track_caller]
    fn check(
        failure: &FetchFailure,
        exposure: &Exposure,
        message: Option<&str>,
        extensions: &Value,
    ) {
        let visible = visible_message(&failure.error, exposure);
        assert_eq!(visible, message, "{exposure:?}");
        let visible = visible_extensions(failure, exposure);
        assert_eq!(Value::from(visible), *extensions, "{exposure:?}");
    }

    #[test]
    fn of_a_subgraph_error_only_the_code_is_visible_by_default() {
        let error = graphql_error(EXTENSIONS);
        let nothing = exposure(Messages::Mapped, &[]);

        check(
            &error,
            &Exposure::default(),
            None,
            &json!({ "code": "EMPTY" }),
        );
        check(&error, &nothing, None, &json!({}));
    }

    #[test]
    fn messages_and_extensions_of_subgraphs_are_visible_if_configured() {
        let error = graphql_error(EXTENSIONS);
        let message = Some("connect ECONNREFUSED 10.0.0.5:5432 user=admin");
        let some = exposure(Messages::All, &["left", "serviceName"]);
        let visible = json!({ "left": 0, "serviceName": "users" });
        check(&error, &some, message, &visible);

        let all = exposure(Messages::All, &["*"]);
        let mut visible: Value = serde_json::from_str(EXTENSIONS).unwrap();
        visible["serviceName"] = json!("users");
        check(&error, &all, message, &visible);
    }

    #[test]
    fn a_code_that_is_text_or_data_is_redacted() {
        let long = json!({ "code": "x".repeat(129) }).to_string();
        for extensions in [
            r#"{"code":"connect 10.0.0.5"}"#,
            r#"{"code":{"host":"10.0.0.5"}}"#,
            r#"{"code":""}"#,
            &long,
        ] {
            let error = graphql_error(extensions);
            check(&error, &Exposure::default(), None, &json!({}));
        }
        let number = graphql_error(r#"{"code":17}"#);
        check(&number, &Exposure::default(), None, &json!({ "code": 17 }));
    }

    #[test]
    fn mapped_errors_are_visible_unless_messages_are_redacted() {
        let mapped = json!({ "code": "LIMIT", "max": 1 });
        check(
            &refused(),
            &Exposure::default(),
            Some("one per customer"),
            &mapped,
        );

        let redacted = exposure(Messages::Redacted, &["code"]);
        check(&refused(), &redacted, None, &json!({ "code": "LIMIT" }));
    }
}
