//! Expected values of a test; a part that is not written is not compared.

use http::{HeaderMap, HeaderName};
use schema::json::Json;
use serde_saphyr::Spanned;

use super::input::{Input, Map};
use crate::config::node::Node;

/// Expected values of one test.
#[derive(Debug, Default)]
pub(super) struct Expect {
    pub(super) request: Request,
    /// The result of the mapping.
    pub(super) response: Option<Json>,
    pub(super) response_headers: HeaderMap,
    /// Errors; an empty list if there must be none.
    pub(super) errors: Option<Vec<Error>>,
    /// All mapping reports.
    pub(super) problems: Option<Vec<Problem>>,
}

/// Parts of the expected request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: Option<String>,
    pub(super) url: Option<String>,
    pub(super) scheme: Option<String>,
    /// Host and port, with or without the scheme.
    pub(super) origin: Option<String>,
    pub(super) path: Option<String>,
    /// Decoded.
    pub(super) query: Option<Vec<(String, Vec<String>)>>,
    /// `None`: the header must not be sent.
    pub(super) headers: Vec<(HeaderName, Option<Vec<String>>)>,
    pub(super) body: Option<Body>,
}

/// The expected body of a request.
#[derive(Debug)]
pub(super) enum Body {
    Empty,
    Text(String),
    Json(Json),
}

/// An expected message, or a part of one.
#[derive(Debug)]
pub(super) enum Message {
    Exact(String),
    Contains(String),
}

/// An expected error, as clients see it.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) message: Option<Message>,
    /// An object; members that are not written are not compared.
    pub(super) extensions: Option<Json>,
}

/// An expected mapping report.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: Option<Message>,
    pub(super) path: Option<String>,
}

impl Expect {
    /// Whether the result of a response is compared.
    pub(super) fn has_response_expectations(&self) -> bool {
        self.response.is_some() || self.errors.is_some() || self.problems.is_some()
    }
}

const EXPECT_KEYS: [&str; 8] = [
    "connectorRequest",
    "connectorRequestHttp",
    "connectorResponse",
    "connectorResponseFile",
    "connectorResponseHeaders",
    "error",
    "errors",
    "problems",
];

/// Reads `expect`; `common` has the expected values of all tests of the file.
pub(super) fn read(node: Option<&Spanned<Node>>, common: Map<'_>, input: &mut Input<'_>) -> Expect {
    let expect = input.map("`expect`", node, &EXPECT_KEYS);
    if let Some(node) = expect.non_null("connectorRequestHttp") {
        input.report_invalid(
            node.referenced,
            "recorded requests are not supported; use `connectorRequest`",
        );
    }
    let keys = "`connectorResponseHeaders`";
    Expect {
        request: request(expect.get("connectorRequest"), common, input),
        response: response(expect, common, input),
        response_headers: input.headers(keys, expect.get("connectorResponseHeaders")),
        errors: errors(expect, input),
        problems: problems(expect, input),
    }
}

fn response(expect: Map<'_>, common: Map<'_>, input: &mut Input<'_>) -> Option<Json> {
    let keys = [
        (expect, "connectorResponse", "connectorResponseFile"),
        (common, "expectedResponse", "expectedResponseFile"),
    ];
    for (map, inline, file) in keys {
        if let Some(node) = map.get(inline) {
            return input.json_or_text(node);
        }
        if let Some(node) = map.non_null(file) {
            let text = input.file(node)?;
            let json = Json::parse(text.into());
            if let Err(error) = &json {
                input.report_invalid(node.referenced, format!("the file is not JSON: {error}"));
            }
            return json.ok();
        }
    }
    None
}

const REQUEST_KEYS: [&str; 9] = [
    "method",
    "url",
    "scheme",
    "origin",
    "path",
    "queryParams",
    "headers",
    "body",
    "bodyFile",
];

fn request(node: Option<&Spanned<Node>>, common: Map<'_>, input: &mut Input<'_>) -> Request {
    let own = input.map("`connectorRequest`", node, &REQUEST_KEYS);
    let pick = |key: &str, shared: &str| own.non_null(key).or_else(|| common.non_null(shared));
    let query = pick("queryParams", "expectedRequestQueryParams");
    Request {
        method: input.text("`method`", pick("method", "expectedRequestMethod")),
        url: input.text("`url`", pick("url", "expectedRequestUrl")),
        scheme: input.text("`scheme`", pick("scheme", "expectedRequestScheme")),
        origin: input.text("`origin`", pick("origin", "expectedRequestOrigin")),
        path: input.text("`path`", pick("path", "expectedRequestPath")),
        query: query.map(|node| self::query(node, input)),
        headers: headers(own.get("headers"), input),
        body: body(own, input),
    }
}

fn query(node: &Spanned<Node>, input: &mut Input<'_>) -> Vec<(String, Vec<String>)> {
    let params = input.open_map("`queryParams`", Some(node));
    params
        .entries()
        .map(|(name, node)| (name.value.clone(), input.texts("a parameter", node)))
        .collect()
}

fn headers(
    node: Option<&Spanned<Node>>,
    input: &mut Input<'_>,
) -> Vec<(HeaderName, Option<Vec<String>>)> {
    let mut headers = Vec::new();
    for (name, node) in input.open_map("`headers`", node).entries() {
        let values = match node.value {
            Node::Null => None,
            _ => Some(input.texts("a header", node)),
        };
        headers.extend(input.header_name(name).map(|name| (name, values)));
    }
    headers
}

fn body(request: Map<'_>, input: &mut Input<'_>) -> Option<Body> {
    if let Some(node) = request.get("body") {
        return match &node.value {
            Node::Null => Some(Body::Empty),
            Node::Text(text) => Some(Body::Text(text.clone())),
            _ => input.json(node).map(Body::Json),
        };
    }
    request
        .non_null("bodyFile")
        .and_then(|node| input.file(node))
        .map(Body::Text)
}

fn errors(expect: Map<'_>, input: &mut Input<'_>) -> Option<Vec<Error>> {
    if let Some(node) = expect.non_null("error") {
        return Some(vec![error(node, input)]);
    }
    let node = expect.non_null("errors")?;
    let errors = input.list("`errors`", Some(node)).iter();
    Some(errors.map(|node| error(node, input)).collect())
}

fn error(node: &Spanned<Node>, input: &mut Input<'_>) -> Error {
    let keys = ["message", "contains_message", "extensions"];
    let error = input.map("an error", Some(node), &keys);
    input.open_map("`extensions`", error.get("extensions"));
    Error {
        message: message(error, input),
        extensions: error
            .non_null("extensions")
            .and_then(|node| input.json(node)),
    }
}

fn problems(expect: Map<'_>, input: &mut Input<'_>) -> Option<Vec<Problem>> {
    let node = expect.non_null("problems")?;
    let keys = ["message", "contains_message", "path"];
    let problems = input.list("`problems`", Some(node)).iter();
    let problems = problems.map(|node| {
        let problem = input.map("a problem", Some(node), &keys);
        Problem {
            message: message(problem, input),
            path: input.text("`path`", problem.non_null("path")),
        }
    });
    Some(problems.collect())
}

fn message(map: Map<'_>, input: &mut Input<'_>) -> Option<Message> {
    let whole = input.text("`message`", map.non_null("message"));
    let part = input.text("`contains_message`", map.non_null("contains_message"));
    whole.map(Message::Exact).or(part.map(Message::Contains))
}
