//! The parameters of a GraphQL-over-HTTP request: `query`, `operationName`, `variables`.
//!
//! Variables remain JSON text: only the engine knows their types. `extensions` is checked but not
//! used; other members are ignored, as "JSON Encoding" requires.

use std::borrow::Cow;

use http::HeaderMap;
use resolvers::{Allow, Trace};
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::value::RawValue;
use url::form_urlencoded;

/// A well-formed request.
#[derive(Debug)]
pub(crate) struct Parameters {
    query: String,
    operation_name: Option<String>,
    variables: Option<Box<RawValue>>,
}

/// Why a request is malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParametersError {
    /// Not JSON; with the message of the parser.
    NotJson(String),
    /// JSON, but not a GraphQL request; with a message.
    InvalidRequest(String),
}

impl Parameters {
    /// Parses the body of a `POST`.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, ParametersError> {
        let text = std::str::from_utf8(body)
            .map_err(|_| ParametersError::NotJson("the body is not UTF-8".to_owned()))?;
        if text.trim_start().starts_with('[') {
            return Err(list_error(text));
        }
        let members: Members<'_> =
            serde_json::from_str(text).map_err(|error| json_error(&error))?;
        let query = members.query.filter(|value| !is_null(value));
        let query = query.ok_or_else(|| invalid_request("`query` is missing"))?;
        let operation_name = members.operation_name.filter(|value| !is_null(value));
        if let Some(extensions) = members.extensions.filter(|value| !is_null(value)) {
            require_object("extensions", extensions)?;
        }
        Ok(Self {
            query: string("query", query)?,
            operation_name: operation_name
                .map(|name| string("operationName", name))
                .transpose()?,
            variables: variables(members.variables)?,
        })
    }

    /// Parses the query string of a `GET`; an empty value counts as missing.
    pub(crate) fn from_query_string(text: &str) -> Result<Self, ParametersError> {
        let (mut query, mut operation_name) = (None, None);
        let (mut values, mut extensions) = (None, None);
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let parameter = match name.as_ref() {
                "query" => &mut query,
                "operationName" => &mut operation_name,
                "variables" => &mut values,
                "extensions" => &mut extensions,
                _ => continue,
            };
            if parameter.replace(value.into_owned()).is_some() {
                return Err(invalid_request(&format!("duplicate parameter `{name}`")));
            }
        }
        let non_empty = |value: Option<String>| value.filter(|value| !value.is_empty());
        let values = json("variables", non_empty(values))?;
        if let Some(extensions) = json("extensions", non_empty(extensions))? {
            require_object("extensions", &extensions)?;
        }
        Ok(Self {
            query: non_empty(query).ok_or_else(|| invalid_request("`query` is missing"))?,
            operation_name: non_empty(operation_name),
            variables: variables(values.as_deref())?,
        })
    }

    /// The request for the engine.
    pub(crate) fn into_request(
        self,
        headers: HeaderMap,
        allow: Allow,
        trace: Trace,
    ) -> resolvers::Request {
        resolvers::Request {
            query: self.query,
            operation_name: self.operation_name,
            variables: self.variables,
            headers,
            allow,
            trace,
        }
    }
}

/// The members as JSON text, so that an error can name the invalid one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<'t> {
    #[serde(borrow)]
    query: Option<&'t RawValue>,
    #[serde(borrow)]
    operation_name: Option<&'t RawValue>,
    #[serde(borrow)]
    variables: Option<&'t RawValue>,
    #[serde(borrow)]
    extensions: Option<&'t RawValue>,
}

fn variables(value: Option<&RawValue>) -> Result<Option<Box<RawValue>>, ParametersError> {
    let Some(value) = value.filter(|value| !is_null(value)) else {
        return Ok(None);
    };
    require_object("variables", value)?;
    Ok(Some(value.to_owned()))
}

fn json(name: &str, text: Option<String>) -> Result<Option<Box<RawValue>>, ParametersError> {
    let value = text.map(RawValue::from_string).transpose();
    value.map_err(|error| ParametersError::NotJson(format!("`{name}`: {error}")))
}

fn string(name: &str, value: &RawValue) -> Result<String, ParametersError> {
    let text: Cow<'_, str> = serde_json::from_str(value.get())
        .map_err(|_| invalid_request(&format!("`{name}` must be a string")))?;
    Ok(text.into_owned())
}

fn require_object(name: &str, value: &RawValue) -> Result<(), ParametersError> {
    if value.get().starts_with('{') {
        Ok(())
    } else {
        Err(invalid_request(&format!("`{name}` must be an object")))
    }
}

fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

fn list_error(text: &str) -> ParametersError {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => invalid_request(
            "batches of operations are not supported; send one operation per request",
        ),
        Err(error) => json_error(&error),
    }
}

fn json_error(error: &serde_json::Error) -> ParametersError {
    match error.classify() {
        Category::Data => {
            invalid_request("the body must be an object with `query` and without duplicate members")
        }
        Category::Io | Category::Syntax | Category::Eof => {
            ParametersError::NotJson(error.to_string())
        }
    }
}

fn invalid_request(reason: &str) -> ParametersError {
    ParametersError::InvalidRequest(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(result: Result<Parameters, ParametersError>) -> String {
        match result.unwrap_err() {
            ParametersError::NotJson(reason) => format!("not JSON: {reason}"),
            ParametersError::InvalidRequest(reason) => format!("no request: {reason}"),
        }
    }

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(
            reason(Parameters::from_json(body.as_bytes())),
            expected,
            "{body}"
        );
    }

    #[test]
    fn members_may_have_any_order_and_unknown_ones_are_ignored() {
        let body =
            br#" {"variables": {"a": [1.0]}, "x": 1, "query": "{\u0061}", "operationName": null}"#;

        let parameters = Parameters::from_json(body).unwrap();

        assert_eq!(parameters.query, "{a}");
        assert_eq!(parameters.operation_name, None);
        assert_eq!(parameters.variables.unwrap().get(), r#"{"a": [1.0]}"#);
    }

    #[test]
    fn a_syntax_error_has_a_position() {
        check("", "not JSON: EOF while parsing a value at line 1 column 0");
        check(
            r#"{"query":"#,
            "not JSON: EOF while parsing a value at line 1 column 9",
        );
        check(
            "[1,",
            "not JSON: EOF while parsing a value at line 1 column 3",
        );
        assert_eq!(
            reason(Parameters::from_json(b"\xff")),
            "not JSON: the body is not UTF-8"
        );
    }

    #[test]
    fn an_invalid_request_is_explained() {
        check("{}", "no request: `query` is missing");
        check(r#"{"query": null}"#, "no request: `query` is missing");
        check(r#"{"query": 1}"#, "no request: `query` must be a string");
        check(
            r#"{"query": "{a}", "operationName": 1}"#,
            "no request: `operationName` must be a string",
        );
        check(
            r#"{"query": "{a}", "variables": [1]}"#,
            "no request: `variables` must be an object",
        );
        check(
            r#"{"query": "{a}", "extensions": 1}"#,
            "no request: `extensions` must be an object",
        );
        check(
            r#"[{"query": "{a}"}]"#,
            "no request: batches of operations are not supported; send one operation per request",
        );
        let shape =
            "no request: the body must be an object with `query` and without duplicate members";
        check("7", shape);
        check(r#"{"query": "{a}", "query": "{b}"}"#, shape);
    }

    #[test]
    fn a_query_string_has_the_same_parameters() {
        let text = "query=%7Ba%7D&variables=%7B%22b%22%3A1%7D&operationName=&extensions=&x=y";

        let parameters = Parameters::from_query_string(text).unwrap();

        assert_eq!(parameters.query, "{a}");
        assert_eq!(parameters.operation_name, None);
        assert_eq!(parameters.variables.unwrap().get(), r#"{"b":1}"#);
    }

    #[test]
    fn a_query_string_without_a_query_is_an_invalid_request() {
        let error = |text| reason(Parameters::from_query_string(text));

        assert_eq!(error(""), "no request: `query` is missing");
        assert_eq!(
            error("query=a&query=b"),
            "no request: duplicate parameter `query`"
        );
        assert_eq!(
            error("query=a&variables=1"),
            "no request: `variables` must be an object"
        );
        assert!(error("query=a&variables=%7B").starts_with("not JSON: `variables`: EOF"));
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = format!(
            r#"{{"query": "{{a}}", "variables": {}"#,
            r#"{"a":"#.repeat(100_000)
        );

        assert!(reason(Parameters::from_json(deep.as_bytes())).starts_with("not JSON: "));
    }
}
