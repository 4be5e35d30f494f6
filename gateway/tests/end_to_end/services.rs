//! Services that speak GraphQL, found without a configuration and with one.

use std::collections::BTreeMap;

use async_graphql::{Context, EmptyMutation, EmptySubscription, ID, Object, Schema, SimpleObject};
use gateway::config::Config;
use gateway::config::expand::Environment;
use gateway::launch::{Gateway, StartError};
use gateway::local::Rust;
use http::HeaderMap;
use mocks::Fault;
use schema::span::Document;
use schema::subgraph::Subgraph;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::ask;
use crate::commands::{Folder, terminate};
use crate::running::{Running, linked};

/// A service that tells which headers it was sent.
struct Query;

#[derive(SimpleObject)]
struct Book {
    id: ID,
    title: String,
}

#[Object]
impl Query {
    async fn header(&self, ctx: &Context<'_>, name: String) -> Option<String> {
        let headers = ctx.data_opt::<HeaderMap>()?;
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    #[graphql(entity)]
    async fn book(&self, id: ID) -> Book {
        Book {
            title: format!("Book {}", *id),
            id,
        }
    }
}

fn books() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::new(Query, EmptyMutation, EmptySubscription)
}

const BOOKS: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
type Query { header(name: String!): String }
type Book @key(fields: "id") { id: ID! title: String! }
"#;

/// A second service, of which nobody asks anything but where its books are.
const SHELF: &str = r#"
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key"])
  @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect"])
type Query {
  shelf: [Book!]! @connect(http: { GET: "URL/shelf" }, selection: "id")
}
type Book @key(fields: "id", resolvable: false) { id: ID! }
"#;

async fn post(address: std::net::SocketAddr, query: &str, headers: &[(&str, &str)]) -> Value {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    let body = json!({ "query": query }).to_string();
    ask(address, "POST /graphql", &all, &body).await.json()
}

fn config(text: &str) -> Config {
    let variables = BTreeMap::<String, String>::new();
    let environment: Environment = variables.into_iter().collect();
    let (config, diagnostics) = Config::read(&Document::new("weir.yaml", text), &environment);
    let mut config = config.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    config.listen.address.set_port(0);
    config
}

fn subgraph(name: &str, url: Option<&str>, sdl: &str) -> Subgraph {
    Subgraph {
        name: name.into(),
        url: url.map(Into::into),
        document: Document::new(format!("{name}.graphql"), sdl),
    }
}

#[tokio::test]
async fn subgraphs_of_the_command_line_are_composed_and_served() {
    let service = mocks::graphql("books", books()).await.unwrap();
    let recorded = Folder::new(
        "shelf",
        &[(
            "shelf.json",
            r#"[{ "request": { "method": "GET", "url": "/shelf" }, "response": { "body": [{ "id": "1" }, { "id": "2" }] } }]"#,
        )],
    );
    let shelf = mocks::Recorded::start(recorded.path()).await.unwrap();
    let folder = Folder::new(
        "serve-subgraphs",
        &[
            ("books.graphql", BOOKS),
            ("shelf.graphql", &SHELF.replace("URL", shelf.url())),
        ],
    );
    let books = format!("books=books.graphql@{}/graphql", service.url());
    let parts = ["--subgraph", &books, "--subgraph", "shelf=shelf.graphql"];
    let named = |command: &[&'static str]| -> Vec<String> {
        let all = command.iter().copied().chain(parts);
        all.map(str::to_owned).collect()
    };
    let run = async |command: &[&'static str]| {
        let arguments = named(command);
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        folder.run(&arguments).await
    };

    let check = run(&["check"]).await;
    let plan = run(&["plan", "{ shelf { title } }"]).await;
    let schema = run(&["schema"]).await;
    let composed = run(&["compose", "--output", "super.graphql"]).await;
    let arguments = named(&["serve", "--listen", "127.0.0.1:0"]);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (mut child, address) = folder.serve(&arguments).await;
    let answer = post(address, "{ shelf { id title } }", &[]).await;
    terminate(&child).await;

    assert_eq!(
        (check.code(), check.out().as_str()),
        (Some(0), "no problems found\n"),
        "{}",
        check.err()
    );
    assert!(plan.out().contains("books  _entities"), "{}", plan.out());
    assert!(schema.out().contains("type Book"), "{}", schema.out());
    let expected = json!([{ "id": "1", "title": "Book 1" }, { "id": "2", "title": "Book 2" }]);
    assert_eq!(answer, json!({ "data": { "shelf": expected } }));
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    assert_eq!(service.calls(), 1);

    // The supergraph has everything that is needed to serve it.
    assert_eq!(composed.code(), Some(0), "{}", composed.err());
    assert_eq!(composed.out(), "");
    let (child, address) = folder
        .serve(&[
            "serve",
            "--supergraph",
            "super.graphql",
            "--listen",
            "127.0.0.1:0",
        ])
        .await;
    let again = post(address, "{ shelf { id title } }", &[]).await;
    terminate(&child).await;
    assert_eq!(again, answer);
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_says_why() {
    let folder = Folder::new(
        "misuse",
        &[
            ("a.graphql", BOOKS),
            ("broken.graphql", "type {"),
            ("plain.graphql", "type Query { a: Int }"),
        ],
    );

    for (arguments, code, message) in [
        (
            &["check", "--subgraph", "a.graphql"][..],
            2,
            "there is no `=`",
        ),
        (&["check", "--subgraph", "a="], 2, "nothing behind the `=`"),
        (
            &["check", "--subgraph", "a b=a.graphql"],
            2,
            "cannot be the name of a subgraph",
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
            "begins with `http://`",
        ),
        (
            &["serve", "--subgraph", "a=a.graphql"],
            1,
            "nobody says where the service `a` is",
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
    ] {
        let ended = folder.run(arguments).await;
        let said = ended.out() + &ended.err();
        assert_eq!(ended.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }

    let warned = folder.run(&["check", "--subgraph", "a=a.graphql"]).await;
    let said = warned.out();
    assert_eq!(warned.code(), Some(0), "{said}");
    assert!(
        said.contains("nobody says where the service `a` is"),
        "{said}"
    );
    assert!(said.contains("write `--subgraph a=FILE@URL`"), "{said}");
}

#[tokio::test]
async fn a_configuration_and_its_graph_speak_of_the_same_services() {
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

    let said = ended.out();
    assert_eq!(ended.code(), Some(1), "{said}");
    for message in [
        "weir.yaml:5:13",
        "the graph has no service `shelf` that speaks GraphQL",
        "services behind connectors are set up under `connectors`",
        "weir.yaml:4:22",
        "the subgraph `shelf` has connectors, so its `url` is never called",
    ] {
        assert!(said.contains(message), "{message}: {said}");
    }
}

#[tokio::test]
async fn a_service_is_sent_what_the_configuration_says_and_nothing_else() {
    let service = mocks::graphql("books", books()).await.unwrap();
    let config = config(
        "graph: { supergraph: unread.graphql }
services:
  books:
    headers: { x-token: secret, x-both: ours }
    forward_headers: [x-request-id, x-both]
",
    );
    let url = format!("{}/graphql", service.url());
    let gateway = Running::serving(
        &config,
        &[subgraph("books", Some(&url), BOOKS)],
        CancellationToken::new(),
    )
    .await;

    let query = "{ token: header(name: \"x-token\") id: header(name: \"x-request-id\")
        both: header(name: \"x-both\") cookie: header(name: \"cookie\") }";
    let headers = [
        ("x-request-id", "tuesday"),
        ("x-both", "theirs"),
        ("cookie", "session=1"),
    ];
    let answer = post(gateway.address, query, &headers).await;

    let expected = json!({ "token": "secret", "id": "tuesday", "both": "ours", "cookie": null });
    assert_eq!(answer, json!({ "data": expected }));
}

#[tokio::test]
async fn a_service_has_the_time_and_the_place_that_the_configuration_gives_it() {
    let service = mocks::graphql("books", books()).await.unwrap();
    service.fault(Some(Fault::Stall));
    let url = format!("{}/graphql", service.url());
    let config = config(&format!(
        "graph: {{ supergraph: unread.graphql }}
services: {{ books: {{ url: '{url}', timeout: 50ms }} }}
"
    ));
    let elsewhere = Some("http://127.0.0.1:1/graphql");
    let gateway = Running::serving(
        &config,
        &[subgraph("books", elsewhere, BOOKS)],
        CancellationToken::new(),
    )
    .await;

    let answer = post(gateway.address, "{ header(name: \"x\") }", &[]).await;

    assert_eq!(answer["errors"][0]["extensions"]["code"], "SOURCE_TIMEOUT");
    assert_eq!(service.calls(), 1);
}

#[tokio::test]
async fn services_are_composed_of_what_they_tell_themselves() {
    let shop = mocks::Shop::start().await.unwrap();
    let folder = Folder::new("introspect", &[("shelf.graphql", SHELF)]);
    let reviews = format!("reviews={}/graphql", shop.reviews.url());

    let alone = folder.run(&["compose", "--introspect", &reviews]).await;
    let replaced = folder
        .run(&[
            "compose",
            "--subgraph",
            "reviews=not-there.graphql@http://reviews.example.com/graphql",
            "--introspect",
            &reviews,
        ])
        .await;
    let users = format!("users={}/users", shop.users.url());
    let nobody = "nobody=http://127.0.0.1:1/";
    let silent = folder
        .run(&["compose", "--introspect", &users, "--introspect", nobody])
        .await;

    let out = alone.out();
    assert_eq!(alone.code(), Some(0), "{}", alone.err());
    assert!(out.contains("averageRating"), "{out}");
    let url = format!("url: \"{}/graphql\"", shop.reviews.url());
    assert!(out.contains(&url), "{out}");
    // Where it is said to be counts, not where it was asked.
    let out = replaced.out();
    assert_eq!(replaced.code(), Some(0), "{}", replaced.err());
    assert!(out.contains("http://reviews.example.com/graphql"), "{out}");
    let err = silent.err();
    assert_eq!((silent.code(), silent.out().as_str()), (Some(1), ""));
    assert!(
        err.contains("`users` cannot be introspected: the service answered"),
        "{err}"
    );
    assert!(
        err.contains("`nobody` cannot be introspected: the service cannot be asked"),
        "{err}"
    );
    shop.stop().await;
}

#[tokio::test]
async fn the_shop_is_composed_where_there_is_no_configuration() {
    let folder = Folder::new("compose-shop", &[]);

    let composed = folder.run(&["compose", "--output", "shop.graphql"]).await;
    let check = folder.run(&["check", "--supergraph", "shop.graphql"]).await;
    let of_files = folder.run(&["schema"]).await;
    let of_supergraph = folder
        .run(&["schema", "--supergraph", "shop.graphql"])
        .await;

    assert_eq!(composed.code(), Some(0), "{}", composed.err());
    assert!(
        composed.err().contains("wrote shop.graphql"),
        "{}",
        composed.err()
    );
    assert_eq!(check.code(), Some(0), "{}", check.out());
    assert_eq!(sorted(&of_files.out()), sorted(&of_supergraph.out()));
}

/// The lines in alphabetical order: which of two subgraphs comes first is no difference.
fn sorted(sdl: &str) -> Vec<&str> {
    let mut lines: Vec<_> = sdl.lines().map(str::trim).collect();
    lines.sort_unstable();
    lines
}

#[tokio::test]
async fn everything_that_is_mounted_has_a_place_and_every_service_is_somewhere() {
    let config = config("graph: { supergraph: unread.graphql }");
    let graph = linked(&config, &[subgraph("books", None, BOOKS)]);
    let bind = async |name: Option<&str>| {
        let builder = Gateway::builder(&config, graph.clone());
        let builder = match name {
            Some(name) => builder.mount(name, Rust(books())),
            None => builder,
        };
        builder.bind(CancellationToken::new()).await
    };

    assert!(matches!(bind(None).await, Err(StartError::Nowhere(name)) if name == "books"));
    assert!(
        matches!(bind(Some("book")).await, Err(StartError::NotAService(name)) if name == "book")
    );
    assert!(bind(Some("books")).await.is_ok());
}
