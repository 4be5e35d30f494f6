//! Remedies for errors of the validator, by their messages.

use super::links::Links;
use crate::diagnostic::nearest;

/// The remedy for `message`, an error at `word` of a document with `links`.
pub(super) fn help(message: &str, word: Option<&str>, links: &Links) -> Option<String> {
    keyword(message, word)
        .or_else(|| missing_link(message, links))
        .or_else(|| http_member(message))
}

/// Suggests the keyword closest to a word that starts no definition.
fn keyword(message: &str, word: Option<&str>) -> Option<String> {
    const KEYWORDS: [&str; 9] = [
        "extend",
        "schema",
        "type",
        "interface",
        "union",
        "enum",
        "input",
        "scalar",
        "directive",
    ];
    let keyword = nearest(word?, KEYWORDS).filter(|_| message == "expected definition")?;
    Some(format!("write `{keyword}`"))
}

/// The link that defines the directives of connectors.
fn missing_link(message: &str, links: &Links) -> Option<String> {
    let (_, rest) = message.split_once("cannot find directive `@")?;
    let (name, _) = rest.split_once('`')?;
    let is_connectors = matches!(name, "source" | "connect") && links.connect.is_none();
    is_connectors.then(|| {
        "link the specification: `extend schema @link(url: \
         \"https://specs.apollo.dev/connect/v0.3\", import: [\"@source\", \"@connect\"])`"
            .to_owned()
    })
}

/// A member of `http` that has another name.
fn http_member(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("field `")?;
    let (name, rest) = rest.split_once('`')?;
    let (_, ty) = rest.split_once(" does not exist on `")?;
    let ty = ty.trim_end_matches('`');
    let known: &[&str] = match ty {
        _ if ty.ends_with("ConnectHTTP") => &[
            "GET",
            "POST",
            "PUT",
            "PATCH",
            "DELETE",
            "body",
            "headers",
            "path",
            "queryParams",
        ],
        _ if ty.ends_with("SourceHTTP") => &["baseURL", "headers", "path", "queryParams"],
        _ if ty.ends_with("HTTPHeaderMapping") => &["name", "from", "value"],
        _ if ty.ends_with("ConnectorErrors") => &["message", "extensions"],
        _ if ty.ends_with("ConnectBatch") => &["maxSize"],
        _ => return None,
    };
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
    let other = other
        .map(|(_, known)| *known)
        .filter(|it| known.contains(it));
    if ty.ends_with("ConnectHTTP") && matches!(name, "method" | "url" | "uri" | "endpoint") {
        return Some("name the method, with the URL as its value: `GET: \"/users\"`".to_owned());
    }
    let close = other.or_else(|| nearest(name, known.iter().copied()));
    if let Some(close) = close {
        return Some(format!("write `{close}`"));
    }
    let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    Some(format!("the members are {}", known.join(", ")))
}

/// Names of members in other tools.
const OTHER_NAMES: [(&str, &str); 8] = [
    ("params", "queryParams"),
    ("query", "queryParams"),
    ("search", "queryParams"),
    ("data", "body"),
    ("json", "body"),
    ("url", "baseURL"),
    ("base", "baseURL"),
    ("header", "headers"),
];
