//! The graph of a command: `--subgraph`, `--supergraph`, and the configuration.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::process::Child;

use crate::commands::{Ended, Folder, terminate};
use crate::services::{BOOKS, books, post};

/// A second service, with the ids of its books alone.
const SHELF: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key"])
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
type Query {
  shelf: [Book!]! @connect(http: { GET: "URL/shelf" }, selection: "id")
}
type Book @key(fields: "id", resolvable: false) { id: ID! }
"#;

/// A folder with two subgraphs, and their services.
struct Library {
    folder: Folder,
    books: mocks::Service,
    _shelf: mocks::Recorded,
}

impl Library {
    async fn open(name: &str) -> Self {
        let recorded = Folder::new(
            &format!("{name}-shelf"),
            &[(
                "shelf.json",
                r#"[{ "request": { "method": "GET", "url": "/shelf" },
                      "response": { "body": [{ "id": "1" }, { "id": "2" }] } }]"#,
            )],
        );
        let shelf = mocks::Recorded::start(recorded.path()).await.unwrap();
        let sdl = SHELF.replace("URL", shelf.url());
        Self {
            folder: Folder::new(name, &[("books.graphql", BOOKS), ("shelf.graphql", &sdl)]),
            books: mocks::graphql("books", books()).await.unwrap(),
            _shelf: shelf,
        }
    }

    /// The arguments of a command with both subgraphs.
    fn arguments(&self, command: &[&str]) -> Vec<String> {
        let books = format!("books=books.graphql@{}/graphql", self.books.url());
        let parts = ["--subgraph", &books, "--subgraph", "shelf=shelf.graphql"];
        let all = command.iter().copied().chain(parts);
        all.map(str::to_owned).collect()
    }

    async fn run(&self, command: &[&str]) -> Ended {
        let arguments = self.arguments(command);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.folder.run(&arguments).await
    }

    async fn serve(&self, command: &[&str]) -> (Child, SocketAddr) {
        let arguments = self.arguments(command);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.folder.serve(&arguments).await
    }
}

fn shelf() -> Value {
    let books = json!([{ "id": "1", "title": "Book 1" }, { "id": "2", "title": "Book 2" }]);
    json!({ "data": { "shelf": books } })
}

#[tokio::test]
async fn subgraphs_of_the_command_line_are_served_without_a_configuration() {
    let library = Library::open("serve-subgraphs").await;

    let (mut child, address) = library.serve(&["serve", "--listen", "127.0.0.1:0"]).await;
    let answer = post(address, "{ shelf { id title } }", &[]).await;
    terminate(&child).await;

    assert_eq!(answer, shelf());
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert_eq!(library.books.calls(), 1);
}

#[tokio::test]
async fn subgraphs_of_the_command_line_are_checked_planned_and_printed() {
    let library = Library::open("check-subgraphs").await;

    let check = library.run(&["check"]).await;
    let plan = library.run(&["plan", "{ shelf { title } }"]).await;
    let schema = library.run(&["schema"]).await;

    let found = (check.code(), check.out());
    assert_eq!(found, (Some(0), "no problems found\n".to_owned()));
    assert!(plan.out().contains("books  _entities"), "{}", plan.out());
    assert!(schema.out().contains("type Book"), "{}", schema.out());
    assert_eq!(library.books.calls(), 0);
}

#[tokio::test]
async fn a_composed_supergraph_can_be_served() {
    let library = Library::open("serve-supergraph").await;

    let composed = library.run(&["compose", "--output", "super.graphql"]).await;
    let serve = [
        "serve",
        "--supergraph",
        "super.graphql",
        "--listen",
        "127.0.0.1:0",
    ];
    let (child, address) = library.folder.serve(&serve).await;
    let answer = post(address, "{ shelf { id title } }", &[]).await;
    terminate(&child).await;

    let found = (composed.code(), composed.out());
    assert_eq!(found, (Some(0), String::new()), "{}", composed.err());
    assert_eq!(answer, shelf());
}

/// Arguments, the exit code, and a part of the message.
const MISUSE: [(&[&str], i32, &str); 14] = [
    (&["check", "--subgraph", "a.graphql"], 2, "missing `=`"),
    (&["check", "--subgraph", "a="], 2, "missing value after `=`"),
    (
        &["check", "--subgraph", "a b=a.graphql"],
        2,
        "is not a valid subgraph name",
    ),
    (
        &["check", "--subgraph", "a=a.graphql@ftp://a/"],
        2,
        "is not an `http` or `https` URL",
    ),
    (
        &["check", "--subgraph", "a=a.graphql", "--config", "x"],
        2,
        "cannot be used with",
    ),
    (
        &["serve", "--supergraph", "x", "--subgraph", "a=a.graphql"],
        2,
        "cannot be used with",
    ),
    (
        &[
            "check",
            "--subgraph",
            "a=a.graphql",
            "--subgraph",
            "a=a.graphql",
        ],
        1,
        "`a` twice",
    ),
    (
        &["check", "--supergraph", "x.graphql"],
        1,
        "cannot read `x.graphql`",
    ),
    (
        &["serve", "--subgraph", "a=a.graphql@127.0.0.1:1"],
        1,
        "must begin with `http://`",
    ),
    (
        &["serve", "--subgraph", "a=a.graphql"],
        1,
        "no URL is configured for subgraph `a`; write `--subgraph a=FILE@URL`",
    ),
    (
        &["check", "--supergraph", "plain.graphql"],
        1,
        "error[NOT_A_SUPERGRAPH]",
    ),
    (
        &["check", "--subgraph", "a=broken.graphql"],
        1,
        "error[SDL_SYNTAX]",
    ),
    (
        &["compose", "--subgraph", "a=broken.graphql"],
        1,
        "error[SDL_SYNTAX]",
    ),
    (
        &["compose", "--introspect", "a=127.0.0.1:1"],
        2,
        "is not an `http` or `https` URL",
    ),
];

#[tokio::test]
async fn an_invalid_command_line_fails_with_the_reason() {
    let files = [
        ("a.graphql", BOOKS),
        ("broken.graphql", "type {"),
        ("plain.graphql", "type Query { a: Int }"),
    ];
    let folder = Folder::new("misuse", &files);

    for (arguments, code, message) in MISUSE {
        let ended = folder.run(arguments).await;
        let output = ended.out() + &ended.err();
        assert_eq!(ended.code(), Some(code), "{arguments:?}: {output}");
        assert!(output.contains(message), "{arguments:?}: {output}");
    }
}

#[tokio::test]
async fn a_subgraph_without_a_url_is_a_warning_until_it_is_served() {
    let folder = Folder::new("nowhere", &[("a.graphql", BOOKS)]);

    let warned = folder.run(&["check", "--subgraph", "a=a.graphql"]).await;
    let planned = folder
        .run(&["plan", "--subgraph", "a=a.graphql", "{ __typename }"])
        .await;

    let output = warned.out();
    assert_eq!(warned.code(), Some(0), "{output}");
    assert!(
        output.contains("no URL is configured for subgraph `a`"),
        "{output}"
    );
    assert!(output.contains("write `--subgraph a=FILE@URL`"), "{output}");
    assert_eq!((planned.code(), planned.err()), (Some(0), String::new()));
}

#[tokio::test]
async fn services_of_the_configuration_must_match_the_graph() {
    let weir = "graph:
  subgraphs:
    books: { schema: books.graphql }
    shelf: { schema: shelf.graphql, url: 'http://127.0.0.1:1' }
services: { shelf: { timeout: 1s } }
";
    let folder = Folder::new(
        "check-services",
        &[
            ("weir.yaml", weir),
            ("books.graphql", BOOKS),
            ("shelf.graphql", &SHELF.replace("URL", "http://127.0.0.1:1")),
        ],
    );

    let ended = folder.run(&["check"]).await;

    let output = ended.out();
    assert_eq!(ended.code(), Some(1), "{output}");
    for message in [
        "weir.yaml:5:13",
        "the graph has no GraphQL subgraph `shelf`",
        "REST sources are configured under `connectors.sources`",
        "weir.yaml:4:22",
        "the subgraph `shelf` has connectors, so its `url` is never called",
    ] {
        assert!(output.contains(message), "{message}: {output}");
    }
}
