//! Evaluates one test: runs its connector, and compares the results with the expected values.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use resolvers::connector_test::{BuiltRequest, ConnectorTest, MappedResponse};
use resolvers::error::{FetchError, FetchFailure};
use schema::json::{Fields, Json, Value};
use schema::mapping::{PathElement, Report};
use url::Url;

use super::diff;
use super::expect::{Body, Error, Message, Problem, Request};
use super::suite::Test;
use crate::respond;

/// A difference between an expected and an actual value.
#[derive(Debug)]
pub(super) struct Difference {
    /// The part of `expect`.
    pub(super) name: &'static str,
    /// Lines to print.
    pub(super) text: String,
}

/// All differences from the values that `test` expects; empty if it passes.
pub(super) fn differences(connector_test: &ConnectorTest<'_>, test: &Test) -> Vec<Difference> {
    let mut differences = Differences(Vec::new());
    let failure = match connector_test.request(&test.inputs) {
        Ok(built) => {
            differences.compare_request(&test.expect.request, &built);
            test.response.as_ref().and_then(|response| {
                let expected = &test.expect.response_headers;
                let name = "connectorResponseHeaders";
                differences.compare_headers(name, expected, &response.headers);
                let mapped = connector_test.map(&test.inputs, response.clone());
                differences.compare_mapped(test, mapped)
            })
        }
        Err(error) => Some(error),
    };
    let client_error = failure.map(|error| client_error(connector_test, error));
    differences.compare_errors(test.expect.errors.as_deref(), client_error.as_ref());
    differences.0
}

/// The error as clients see it, with the subgraph and connector, which only the log has otherwise.
fn client_error(connector_test: &ConnectorTest<'_>, error: FetchError) -> serde_json::Value {
    let reason = error.to_string();
    let mut client_error = respond::call_error(FetchFailure {
        subgraph: connector_test.subgraph().into(),
        coordinate: connector_test.coordinate().into(),
        error,
    });
    client_error["reason"] = reason.into();
    // The connector's own extensions take precedence.
    if let Some(extensions) = client_error["extensions"].as_object_mut() {
        let connector = serde_json::json!({ "coordinate": connector_test.coordinate() });
        extensions.entry("connector").or_insert(connector);
        let service = extensions.entry("service");
        service.or_insert_with(|| connector_test.subgraph().into());
    }
    client_error
}

struct Differences(Vec<Difference>);

impl Differences {
    fn push(&mut self, name: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Difference { name, text });
    }

    fn compare_text(&mut self, name: &'static str, expected: &str, found: &str) {
        if expected != found {
            self.push(name, diff::unified_diff(expected, found));
        }
    }

    fn compare_if_expected(&mut self, name: &'static str, expected: Option<&str>, found: &str) {
        if let Some(expected) = expected {
            self.compare_text(name, expected, found);
        }
    }

    fn compare_request(&mut self, expected: &Request, built: &BuiltRequest) {
        let count = self.0.len();
        let method = expected.method.as_deref().map(str::to_ascii_uppercase);
        self.compare_if_expected(
            "connectorRequest.method",
            method.as_deref(),
            built.method.as_str(),
        );
        let url = expected.url.as_deref().map(normalized_url);
        self.compare_if_expected("connectorRequest.url", url.as_deref(), built.url.as_str());
        self.compare_url_parts(expected, &built.url);
        for (name, values) in &expected.headers {
            self.compare_header(name, values.as_deref(), &built.headers);
        }
        if let Some(body) = &expected.body {
            self.compare_body(body, built);
        }
        if let [.., last] = self.0.get_mut(count..).unwrap_or_default() {
            write_reports(&built.reports, &mut last.text);
        }
    }

    fn compare_header(
        &mut self,
        name: &HeaderName,
        expected: Option<&[String]>,
        headers: &HeaderMap,
    ) {
        let line = |values: Option<String>| match values {
            Some(values) => format!("{name}: {values}"),
            None => format!("{name} is not sent"),
        };
        let part = "connectorRequest.headers";
        let expected = line(expected.map(|values| values.join(", ")));
        let found = line(header_values(headers, name));
        let is_secret = |value: &HeaderValue| value.is_sensitive();
        if expected != found && headers.get_all(name).iter().any(is_secret) {
            let text = format!("+ {name}: a different value (hidden, from the configuration)\n");
            self.push(part, text);
        } else {
            self.compare_text(part, &expected, &found);
        }
    }

    fn compare_url_parts(&mut self, expected: &Request, url: &Url) {
        let scheme = expected.scheme.as_deref();
        self.compare_if_expected("connectorRequest.scheme", scheme, url.scheme());
        if let Some(origin) = &expected.origin {
            let with_scheme = origin.contains("://");
            let host = url.host_str().unwrap_or_default();
            let mut found = url
                .port()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
            if with_scheme {
                found = format!("{}://{found}", url.scheme());
            }
            self.compare_text("connectorRequest.origin", origin, &found);
        }
        let path = expected.path.as_deref();
        self.compare_if_expected("connectorRequest.path", path, url.path());
        if let Some(query) = &expected.query {
            let expected = query
                .iter()
                .flat_map(|(name, values)| values.iter().map(move |it| format!("{name}={it}")));
            let found = url.query_pairs().map(|(name, it)| format!("{name}={it}"));
            let (expected, found) = (sorted_lines(expected), sorted_lines(found));
            self.compare_text("connectorRequest.queryParams", &expected, &found);
        }
    }

    fn compare_body(&mut self, expected: &Body, built: &BuiltRequest) {
        let name = "connectorRequest.body";
        let Some(body) = &built.body else {
            let expected = match expected {
                Body::Empty => return,
                Body::Text(text) => text.clone(),
                Body::Json(json) => diff::pretty_json(&Value::from(json)),
            };
            return self.compare_text(name, expected.trim_end(), "(no body)");
        };
        let text = String::from_utf8_lossy(body);
        match expected {
            Body::Empty => self.compare_text(name, "(no body)", &text),
            Body::Json(json) => self.compare_json(name, json, body),
            Body::Text(expected) => {
                let content_type = header_values(&built.headers, &CONTENT_TYPE);
                let is_json = content_type.is_some_and(|value| value.contains("json"));
                match Json::parse(Bytes::from(expected.clone())) {
                    Ok(json) if is_json => self.compare_json(name, &json, body),
                    _ => {
                        // Forms are compared one pair per line.
                        let lines = |text: &str| text.replace('&', "\n&");
                        self.compare_text(name, &lines(expected.trim_end()), &lines(&text));
                    }
                }
            }
        }
    }

    fn compare_json(&mut self, name: &'static str, expected: &Json, found: &Bytes) {
        let found = match Json::parse(found.clone()) {
            Ok(json) => diff::pretty_json(&Value::from(&json)),
            Err(_) => String::from_utf8_lossy(found).into_owned(),
        };
        self.compare_text(name, &diff::pretty_json(&Value::from(expected)), &found);
    }

    /// Compares the headers in `expected`; `found` may have others.
    fn compare_headers(&mut self, part: &'static str, expected: &HeaderMap, found: &HeaderMap) {
        for name in expected.keys() {
            let line = |headers| match header_values(headers, name) {
                Some(values) => format!("{name}: {values}"),
                None => format!("{name} is missing"),
            };
            self.compare_text(part, &line(expected), &line(found));
        }
    }

    /// Compares the result of the mapping; returns its error, if it failed.
    fn compare_mapped(&mut self, test: &Test, mapped: MappedResponse) -> Option<FetchError> {
        if let Some(problems) = &test.expect.problems {
            self.compare_problems(problems, &mapped.reports);
        }
        let result = match mapped.result {
            Ok(result) => result,
            Err(error) => {
                if test.expect.response.is_some() && test.expect.errors.is_some() {
                    let text = "expected a response and an error, but there is only an error\n";
                    self.push("connectorResponse", text);
                }
                return Some(error);
            }
        };
        if let Some(expected) = &test.expect.response {
            let count = self.0.len();
            // Clients see null if the selection has no value.
            let found = Bytes::from(result.unwrap_or_else(|| "null".to_owned()));
            self.compare_json("connectorResponse", expected, &found);
            if let Some(difference) = self.0.get_mut(count) {
                write_reports(&mapped.reports, &mut difference.text);
            }
        }
        None
    }

    /// Requires every expected problem, and no other report.
    fn compare_problems(&mut self, expected: &[Problem], reports: &[Report]) {
        let mut unexpected: Vec<&Report> = reports.iter().collect();
        let mut text = String::new();
        for problem in expected {
            let mut remaining = unexpected.iter();
            match remaining.position(|report| is_expected_problem(problem, report)) {
                Some(index) => {
                    unexpected.remove(index);
                }
                None => {
                    let _ = writeln!(text, "- {}", problem_line(problem));
                }
            }
        }
        for report in unexpected {
            let _ = writeln!(text, "+ {}", report_line(report));
        }
        if !text.is_empty() {
            self.push("problems", text);
        }
    }

    fn compare_errors(&mut self, expected: Option<&[Error]>, found: Option<&serde_json::Value>) {
        let name = "errors";
        match (expected.unwrap_or_default(), found) {
            ([], None) => {}
            ([], Some(found)) => {
                let text = format!("+ {found:#}").replace('\n', "\n+ ");
                self.push(name, text + "\n");
            }
            ([expected], Some(found)) => self.compare_error(expected, found),
            (_, None) => self.push(name, "- an error\n+ no error\n"),
            (several, Some(_)) => {
                let count = several.len();
                let text = format!("- {count} errors\n+ 1 error: a call has at most one\n");
                self.push(name, text);
            }
        }
    }

    fn compare_error(&mut self, expected: &Error, found: &serde_json::Value) {
        let message = found["message"].as_str().unwrap_or_default();
        if let Some(expected) = &expected.message
            && !expected.is_match(message)
        {
            self.compare_text("error.message", expected.text(), message);
        }
        let Some(extensions) = &expected.extensions else {
            return;
        };
        let expected = Value::from(extensions);
        let members = expected.as_object().into_iter().flat_map(Fields::iter);
        let found: serde_json::Map<String, serde_json::Value> = members
            .filter_map(|(name, _)| {
                let value = found["extensions"].get(name.as_ref())?.clone();
                Some((name.into_owned(), value))
            })
            .collect();
        let found = serde_json::Value::Object(found).to_string();
        self.compare_json("error.extensions", extensions, &found.into());
    }
}

impl Message {
    fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Contains(text) => text,
        }
    }

    fn is_match(&self, message: &str) -> bool {
        match self {
            Self::Exact(text) => text == message,
            Self::Contains(text) => message.contains(text),
        }
    }
}

fn sorted_lines(lines: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines.join("\n")
}

/// Percent-encodes a URL where necessary, and replaces an empty path by `/`.
fn normalized_url(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), String::from)
}

/// All values of a header, separated by commas.
fn header_values(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

fn is_expected_problem(problem: &Problem, report: &Report) -> bool {
    let message = problem.message.as_ref();
    let path = problem.path.as_ref();
    message.is_none_or(|it| it.is_match(&report.message))
        && path.is_none_or(|it| *it == path_text(&report.path))
}

fn problem_line(problem: &Problem) -> String {
    let message = problem
        .message
        .as_ref()
        .map_or("any message", Message::text);
    match &problem.path {
        Some(path) => format!("{path}: {message}"),
        None => message.to_owned(),
    }
}

fn report_line(report: &Report) -> String {
    format!("{}: {}", path_text(&report.path), report.message)
}

fn path_text(path: &[PathElement]) -> String {
    let parts: Vec<String> = path
        .iter()
        .map(|element| match element {
            PathElement::Key(key) => key.clone(),
            PathElement::Index(index) => index.to_string(),
        })
        .collect();
    parts.join(".")
}

/// Appends mapping reports, because they often explain a difference.
fn write_reports(reports: &[Report], text: &mut String) {
    for report in reports.iter().take(MAX_REPORTS) {
        let _ = writeln!(text, "mapping report: {}", report_line(report));
    }
    if reports.len() > MAX_REPORTS {
        let _ = writeln!(text, "and {} more", reports.len() - MAX_REPORTS);
    }
}

/// Maximum mapping reports of one difference.
const MAX_REPORTS: usize = 5;
