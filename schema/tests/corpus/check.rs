//! Properties of all inputs, one function for each target of the fuzzer.
//!
//! A function panics if its property does not hold. Targets with several texts split the bytes at
//! zeros; missing texts are empty.

use std::sync::OnceLock;

use bytes::Bytes;
use schema::diagnostic::Diagnostic;
use schema::graph::Graph;
use schema::json::{Json, Kind, Node, Value};
use schema::link::{LinkOptions, link as link_subgraphs};
use schema::mapping::{Mapping, Vars, Version};
use schema::operation::{Operation, OperationLimits};
use schema::span::Document;
use schema::subgraph::Subgraph;
use schema::template::url::{UrlPart, UrlTemplate};
use schema::template::{Template, form};

/// Templates render or fail, and no value directs a request to another host. The texts: URL,
/// `path`, `queryParams`, variables, base URL.
pub fn template(data: &[u8]) {
    let Some([url, path, query, vars, base]) = texts(data) else {
        return;
    };
    let json = json_or_empty(vars);
    for version in Version::ALL {
        let Ok(url) = Template::parse(url, version) else {
            continue;
        };
        covers(&url);
        let vars = vars_of(&json);
        let _ = (url.render_uri(&vars), url.render_plain(&vars));
        let path = Mapping::parse(path, version).ok();
        let query = Mapping::parse(query, version).ok();
        let connect = UrlPart {
            url: &url,
            path: path.as_ref(),
            query: query.as_ref(),
        };
        let sourceless = UrlTemplate {
            source: None,
            connect,
        };
        let _ = sourceless.join(&vars);
        keeps_the_host(connect, &vars);
        if let Ok(base) = Template::parse(base, version) {
            let source = Some(without_mappings(&base));
            let _ = UrlTemplate { source, connect }.join(&vars);
        }
    }
}

/// Mappings parse or fail with a position, and the printed mapping parses to the same one.
pub fn mapping(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for version in Version::ALL {
        let mapping = match Mapping::parse(text, version) {
            Ok(mapping) => mapping,
            Err(error) => {
                let excerpt = text.get(error.range.clone());
                assert!(excerpt.is_some(), "{error:?} points beside the text");
                continue;
            }
        };
        for used in mapping.variables() {
            assert!(text.get(used.range.clone()).is_some(), "{used:?}");
        }
        let printed = mapping.to_string();
        let again = Mapping::parse(&printed, version)
            .unwrap_or_else(|error| panic!("{version:?} prints {printed:?}: {error}"));
        assert_eq!(
            without_ranges(&mapping),
            without_ranges(&again),
            "{version:?} prints {printed:?}"
        );
        assert_eq!(printed, again.to_string(), "{version:?}");
    }
}

/// Evaluation ends with JSON. The texts: mapping, input.
pub fn evaluate(data: &[u8]) {
    let Some([text, input]) = texts(data) else {
        return;
    };
    let input = json_or_empty(input);
    for version in [Version::V0_1, Version::V0_3, Version::V0_4] {
        let Ok(mapping) = Mapping::parse(text, version) else {
            continue;
        };
        let vars = vars_of(&input);
        let outcome = mapping.eval(Value::from(&input), &vars);
        if let Some(value) = &outcome.value {
            is_json(&value.to_json());
            let _ = form::encode(value);
            value.to_owned_value();
        }
    }
}

/// Linking ends, and every diagnostic renders. The texts: up to four subgraphs.
pub fn link(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    for header in HEADERS {
        let texts = text.split('\0').take(4);
        let subgraphs: Vec<_> = texts
            .enumerate()
            .map(|(index, text)| subgraph(&format!("s{index}"), format!("{header}{text}")))
            .collect();
        let options = LinkOptions {
            experimental_connect: true,
            ..LinkOptions::default()
        };
        let (graph, diagnostics) = link_subgraphs(&subgraphs, options);
        for diagnostic in &diagnostics {
            assert!(!diagnostic.render().is_empty());
        }
        if let Some(graph) = graph {
            assert!(!graph.client_sdl().is_empty());
        }
    }
}

/// Documents and variables are accepted or rejected with a reason. The texts: document, variables.
pub fn operation(data: &[u8]) {
    let Some([document, variables]) = texts(data) else {
        return;
    };
    let limits = OperationLimits {
        tokens: 2_000,
        depth: 20,
        fields: 500,
        selections: 1_000,
        aliases: 500,
        root_fields: 100,
    };
    let graph = shop();
    match Operation::parse(graph, document, None, limits) {
        Err(problems) => assert!(!problems.is_empty(), "rejected without a reason"),
        Ok(operation) => {
            let variables = (!variables.is_empty()).then_some(variables);
            if let Ok(variables) = operation.coerce_variables(graph, variables) {
                let answers = operation.introspect(graph, &variables, 1 << 20);
                for (_, answer) in answers.unwrap_or_default() {
                    is_json(&answer);
                }
            }
        }
    }
}

/// A text is JSON if `serde_json` accepts it, and has the same value.
pub fn json(data: &[u8]) {
    let ours = Json::parse(Bytes::copy_from_slice(data));
    let theirs = serde_json::from_slice::<serde_json::Value>(data);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(read(ours.root()), theirs);
            let printed = Value::from(&ours).to_json();
            let again: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
            assert_eq!(again, theirs);
        }
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => {
            let error = error.to_string();
            // Weir keeps numbers as text, and allows one more level of nesting.
            let differs = ["out of range", "recursion limit"];
            assert!(differs.iter().any(|it| error.contains(it)), "{error}");
        }
        (Err(error), Ok(_)) => panic!("rejected: {error}"),
    }
}

const HEADERS: [&str; 3] = [
    "",
    r#"extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@override", "@inaccessible", "@tag", "@interfaceObject", "@composeDirective"])
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
  @source(name: "s", http: { baseURL: "https://example.com/v1" })
"#,
    r#"extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@external", "@requires"])
  @link(url: "https://specs.apollo.dev/connect/v0.4", import: ["@source", "@connect"])
  @source(name: "s", http: { baseURL: "https://example.com/{$config.tenant}" })
"#,
];

/// The bytes split at zeros into `N` texts, the last with the rest; `None` if they are not UTF-8.
fn texts<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    let mut texts = std::str::from_utf8(data).ok()?.splitn(N, '\0');
    Some(std::array::from_fn(|_| texts.next().unwrap_or_default()))
}

fn json_or_empty(text: &str) -> Json {
    Json::parse(Bytes::copy_from_slice(text.as_bytes()))
        .or_else(|_| Json::parse(Bytes::from_static(b"{\"a\":[1,\"..\",null,{\"b\":1.5}]}")))
        .expect("one of the two is JSON")
}

fn vars_of(json: &Json) -> Vars<'_> {
    let names = [
        "args", "this", "batch", "config", "context", "request", "response", "env",
    ];
    let vars = Vars::new().with("status", Value::int(200));
    names
        .into_iter()
        .fold(vars, |vars, name| vars.with(name, Value::from(json)))
}

/// Checks that the parts of a template cover its text without gaps.
fn covers(template: &Template) {
    let mut at = 0;
    for part in template.parts() {
        assert_eq!(part.range().start, at);
        at = part.range().end;
    }
    assert_eq!(at, template.text().len());
}

fn keeps_the_host(connect: UrlPart<'_>, vars: &Vars<'_>) {
    static BASE: OnceLock<Template> = OnceLock::new();
    let base = BASE.get_or_init(|| Template::constant("https://api.example.com/v1"));
    let source = Some(without_mappings(base));
    if let Ok(joined) = (UrlTemplate { source, connect }).join(vars) {
        assert_eq!(joined.url.scheme(), "https");
        assert_eq!(joined.url.host_str(), Some("api.example.com"));
        assert_eq!(joined.url.port(), None);
    }
}

fn without_mappings(url: &Template) -> UrlPart<'_> {
    UrlPart {
        url,
        path: None,
        query: None,
    }
}

/// The mapping without the ranges, which differ between a text and its printed form.
fn without_ranges(mapping: &Mapping) -> String {
    let debug = format!("{:?}", mapping.ast());
    let mut pieces = debug.split("..");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.truncate(out.trim_end_matches(|c: char| c.is_ascii_digit()).len());
        out.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// Checks that a text is JSON, except that it may be nested deeper than documents may.
fn is_json(text: &str) {
    if let Err(error) = Json::parse(Bytes::copy_from_slice(text.as_bytes())) {
        assert!(error.message.contains("deep"), "{error}: {text}");
    }
}

fn read(node: Node<'_>) -> serde_json::Value {
    match node.kind() {
        Kind::Null => serde_json::Value::Null,
        Kind::Bool(value) => value.into(),
        Kind::Number(text) => serde_json::from_str(text).expect("a number"),
        Kind::String(text) => text.decode().into_owned().into(),
        Kind::List(elements) => elements.map(read).collect(),
        Kind::Object(members) => {
            let members = members.map(|(key, value)| (key.decode().into_owned(), read(value)));
            serde_json::Value::Object(members.collect())
        }
    }
}

fn shop() -> &'static Graph {
    static SHOP: OnceLock<Graph> = OnceLock::new();
    SHOP.get_or_init(|| {
        let subgraphs = [
            subgraph("users", include_str!("../../commerce/users.graphql")),
            subgraph("products", include_str!("../../commerce/products.graphql")),
            subgraph("orders", include_str!("../../commerce/orders.graphql")),
        ];
        let (graph, diagnostics) = link_subgraphs(&subgraphs, LinkOptions::default());
        let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
        graph.unwrap_or_else(|| panic!("{}", rendered.join("\n")))
    })
}

fn subgraph(name: &str, text: impl Into<std::sync::Arc<str>>) -> Subgraph {
    Subgraph {
        name: name.into(),
        url: None,
        document: Document::new(format!("{name}.graphql"), text),
    }
}
