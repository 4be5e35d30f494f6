//! The hostile requests, and the graph that they are sent to.

use std::fmt::Write as _;

use serde_json::{Value, json};

use self::fields::{directives, fields};
use self::fragments::fragments;
use self::plans::plans;
use self::values::{texts, values};

mod fields;
mod fragments;
mod plans;
mod values;

/// One request.
pub(super) struct Bomb {
    pub(super) name: &'static str,
    pub(super) body: String,
}

/// Just below the maximum of bytes of a body.
const LARGE: usize = 255 * 1024;

const FEDERATION: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])"#;

/// Types that implement one interface.
const TYPES: usize = 30;

/// The configuration and the subgraphs: two of GraphQL whose types are entities of both, and one of
/// a REST service at `url`.
pub(super) fn graph(url: &str) -> Vec<(&'static str, String)> {
    let (mut a, mut b) = (String::new(), String::new());
    for number in 0..TYPES {
        let _ = writeln!(
            a,
            "type T{number} implements Node @key(fields: \"id\") {{ id: ID! name: String \
             next: T0 nodes: [Node] a(n: Int): Int }}"
        );
        let _ = writeln!(
            b,
            "type T{number} @key(fields: \"id\") {{ id: ID! price(n: Int): Int other: T0 }}"
        );
    }
    let a = format!(
        "{FEDERATION}
         type Query {{ t: T0 nodes: [Node] node(id: ID, text: String): Node
           find(filter: Filter, filters: [Filter], ids: [Int], text: String, any: Any): [T0] }}
         interface Node {{ id: ID! name: String next: T0 nodes: [Node] }}
         input Filter {{ and: [Filter] not: Filter id: ID n: Int lists: [[Int]] }}
         scalar Any\n{a}"
    );
    let rows = format!(
        "extend schema @link(url: \"https://specs.apollo.dev/connect/v0.3\", import: [\"@source\", \"@connect\"])
           @source(name: \"api\", http: {{ baseURL: \"{url}\" }})
         type Query {{ rows: [Row] @connect(source: \"api\", http: {{ GET: \"/rows\" }}, selection: \"id name\") }}
         type Row {{ id: ID name: String }}"
    );
    let configuration = "listen: { address: '127.0.0.1:0', playground: false }\nlog: { level: error }\n\
         graph:\n  subgraphs:\n\
        \x20   a: { schema: a.graphql, url: 'http://127.0.0.1:1/' }\n\
        \x20   b: { schema: b.graphql, url: 'http://127.0.0.1:1/' }\n\
        \x20   rows: { schema: rows.graphql }\n";
    vec![
        ("weir.yaml", configuration.to_owned()),
        ("a.graphql", a),
        ("b.graphql", format!("{FEDERATION}\n{b}")),
        ("rows.graphql", rows),
    ]
}

/// All requests.
pub(super) fn bombs() -> Vec<Bomb> {
    let mut bombs = Vec::new();
    let documents = [fragments(), fields(), directives(), plans(), texts()];
    for (name, query) in documents.into_iter().flatten() {
        let body = json!({ "query": query }).to_string();
        bombs.push(Bomb { name, body });
    }
    for (name, query, variables) in values() {
        let query = Value::from(query);
        let body = format!("{{\"query\":{query},\"variables\":{variables}}}");
        bombs.push(Bomb { name, body });
    }
    bombs
}

type Documents = Vec<(&'static str, String)>;

fn repeat(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}
