//! A test file, `tests/*.connector.yml`, in the published format of the dialect.
//!
//! `config` has the SDL file and values for all tests, `tests` is the list of tests. `target` is
//! another spelling of `connector`; `apiResponse` and `expect.error` are extensions of Weir.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::StatusCode;
use resolvers::connector_test::{Inputs, Response};
use schema::diagnostic::{Code, Diagnostic, Problems};
use schema::json::Json;
use schema::span::{Document, Span};
use serde_saphyr::Spanned;

use super::expect::{self, Expect};
use super::input::{Input, Map, json_text};
use crate::config::expand::Environment;
use crate::config::node::Node;
use crate::config::reader::Reader;

/// One test file.
#[derive(Debug)]
pub(super) struct Suite {
    /// The path of the SDL file.
    pub(super) schema: PathBuf,
    /// The path in the test file, for diagnostics.
    pub(super) schema_span: Span,
    pub(super) tests: Vec<Test>,
}

/// One test.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) connector: String,
    /// The connector's name in the test file, for diagnostics.
    pub(super) span: Span,
    pub(super) skip: bool,
    pub(super) inputs: Inputs,
    /// The recorded response; `None` if the test is about the request alone.
    pub(super) response: Option<Response>,
    pub(super) expect: Expect,
}

/// The result of reading a test file.
pub(super) struct ReadSuite {
    /// `None` if the file is unusable.
    pub(super) suite: Option<Suite>,
    pub(super) problems: Problems,
    /// Referenced files, except the SDL.
    pub(super) files: Vec<PathBuf>,
}

/// Reads the test file at `path`, whose text is `document`.
pub(super) fn read_suite(document: &Document, path: &Path) -> ReadSuite {
    let environment = Environment::default();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut input = Input::new(Reader::new(document, &environment), folder);
    let root: Option<Spanned<Node>> = input.reader.yaml();
    let suite = root.and_then(|root| suite(&root, document, &mut input));
    ReadSuite {
        suite,
        problems: input.reader.into_problems(),
        files: input.files,
    }
}

fn suite(root: &Spanned<Node>, document: &Document, input: &mut Input<'_>) -> Option<Suite> {
    let file = input.map("a test file", Some(root), &["config", "tests"]);
    let config = input.map(
        "`config`",
        file.get("config"),
        &["schema", "name", "common"],
    );
    input.text("`config.name`", config.non_null("name"));
    let common = input.map("`config.common`", config.get("common"), &COMMON_KEYS);
    let tests: Vec<Test> = input
        .list("`tests`", file.get("tests"))
        .iter()
        .filter_map(|node| test(node, common, input))
        .collect();
    let Some(schema) = config.non_null("schema") else {
        input.reader.push(missing_schema(document));
        return None;
    };
    let name = input.text("`config.schema`", Some(schema))?;
    Some(Suite {
        schema: input.path(&name),
        schema_span: input.reader.span(schema.referenced),
        tests,
    })
}

fn missing_schema(document: &Document) -> Diagnostic {
    let message = "the test file has no `config.schema`";
    let help = "write `config: { schema: … }` with a path relative to this file".to_owned();
    let span = Span::new(document, 0..0);
    Diagnostic::error(Code::ConfigInvalidValue, span, message).help(help)
}

const COMMON_KEYS: [&str; 15] = [
    "connector",
    "target",
    "variables",
    "apiResponseBody",
    "apiResponseBodyFile",
    "apiResponseHeaders",
    "status",
    "expectedResponse",
    "expectedResponseFile",
    "expectedRequestMethod",
    "expectedRequestUrl",
    "expectedRequestScheme",
    "expectedRequestOrigin",
    "expectedRequestPath",
    "expectedRequestQueryParams",
];

const TEST_KEYS: [&str; 11] = [
    "name",
    "connector",
    "target",
    "skip",
    "variables",
    "apiResponse",
    "apiResponseBody",
    "apiResponseBodyFile",
    "apiResponseHeaders",
    "status",
    "expect",
];

fn test(node: &Spanned<Node>, common: Map<'_>, input: &mut Input<'_>) -> Option<Test> {
    let test = input.map("a test", Some(node), &TEST_KEYS);
    if !matches!(node.value, Node::Map(_)) {
        return None; // `map` has reported it.
    }
    let connector = ["connector", "target"];
    let connector = test
        .first_non_null(&connector)
        .or_else(|| common.first_non_null(&connector));
    for (key, value) in [("name", test.non_null("name")), ("connector", connector)] {
        if value.is_none() {
            input.report_invalid(node.referenced, format!("the test has no `{key}`"));
        }
    }
    let name = input.text("`name`", test.non_null("name"));
    let skip = input.boolean("`skip`", test.non_null("skip"));
    let inputs = inputs(test, common, input);
    let expect = expect::read(test.get("expect"), common, input);
    let response = response(test, common, &expect, input);
    let connector = connector?;
    Some(Test {
        name: name?,
        span: input.reader.span(connector.referenced),
        connector: input.text("`connector`", Some(connector))?,
        skip,
        inputs,
        response,
        expect,
    })
}

const VARIABLE_NAMES: [&str; 8] = [
    "$args",
    "$this",
    "$batch",
    "$config",
    "$context",
    "$env",
    "$request",
    "$requestHeaders",
];

/// The inputs of a test: each of its variables replaces the one of `common` entirely.
fn inputs(test: Map<'_>, common: Map<'_>, input: &mut Input<'_>) -> Inputs {
    let own = input.map("`variables`", test.get("variables"), &VARIABLE_NAMES);
    let common = input.map("`variables`", common.get("variables"), &VARIABLE_NAMES);
    let mut inputs = Inputs::default();
    for name in VARIABLE_NAMES {
        let Some(node) = own.non_null(name).or_else(|| common.non_null(name)) else {
            continue;
        };
        match name {
            "$request" => {
                let request = input.map("`$request`", Some(node), &["headers"]);
                let headers = input.headers("`$request.headers`", request.get("headers"));
                inputs.headers.extend(headers);
            }
            "$requestHeaders" => {
                let headers = input.headers("`$requestHeaders`", Some(node));
                inputs.headers.extend(headers);
            }
            _ => inputs.variables.extend(variable(name, node, input)),
        }
    }
    inputs
}

fn variable(name: &str, node: &Spanned<Node>, input: &mut Input<'_>) -> Option<(String, Json)> {
    let is_list = name == "$batch";
    let is_valid = match node.value {
        Node::Map(_) => !is_list,
        Node::List(_) => is_list,
        _ => false,
    };
    if !is_valid {
        let kind = if is_list { "a list" } else { "a mapping" };
        input.report_invalid(node.referenced, format!("`{name}` must be {kind}"));
        return None;
    }
    let name = name.trim_start_matches('$').to_owned();
    Some((name, input.json(node)?))
}

fn response(
    test: Map<'_>,
    common: Map<'_>,
    expect: &Expect,
    input: &mut Input<'_>,
) -> Option<Response> {
    let keys = ["status", "headers", "body", "bodyFile"];
    let own = input.map("`apiResponse`", test.get("apiResponse"), &keys);
    let mut statuses = [own, test, common].into_iter();
    let status = statuses.find_map(|map| map.non_null("status"));
    // The test's own body, inline or in a file, takes precedence over that of `common`.
    let body = body_location(own, "body", "bodyFile")
        .or_else(|| body_location(test, "apiResponseBody", "apiResponseBodyFile"))
        .or_else(|| body_location(common, "apiResponseBody", "apiResponseBodyFile"));
    let mut headers = input.headers("`apiResponseHeaders`", common.get("apiResponseHeaders"));
    headers.extend(input.headers("`apiResponseHeaders`", test.get("apiResponseHeaders")));
    headers.extend(input.headers("`apiResponse.headers`", own.get("headers")));
    // Expectations about the result imply an empty response with status 200.
    let has_response = test.get("apiResponse").is_some()
        || status.is_some()
        || body.is_some()
        || !headers.is_empty()
        || expect.has_response_expectations();
    let body = body.map(|location| location.text(input));
    let status = status.map_or(Some(StatusCode::OK), |node| read_status(node, input));
    has_response.then(|| Response {
        status: status.unwrap_or_default(),
        headers,
        body: Bytes::from(body.unwrap_or_default()),
    })
}

/// The body of a recorded response.
enum BodyLocation<'n> {
    Inline(&'n Node),
    File(&'n Spanned<Node>),
}

impl BodyLocation<'_> {
    fn text(&self, input: &mut Input<'_>) -> String {
        match self {
            Self::File(node) => input.file(node).unwrap_or_default(),
            Self::Inline(Node::Text(text)) => text.clone(),
            Self::Inline(other) => json_text(other),
        }
    }
}

fn body_location<'n>(map: Map<'n>, inline: &str, file: &str) -> Option<BodyLocation<'n>> {
    let inline = map
        .non_null(inline)
        .map(|node| BodyLocation::Inline(&node.value));
    inline.or_else(|| map.non_null(file).map(BodyLocation::File))
}

fn read_status(node: &Spanned<Node>, input: &mut Input<'_>) -> Option<StatusCode> {
    let text = input.text("`status`", Some(node))?;
    let status = StatusCode::from_bytes(text.as_bytes()).ok();
    if status.is_none() {
        input.report_invalid(
            node.referenced,
            "the status must be a number from 100 to 999",
        );
    }
    status
}
