//! Subgraphs of a supergraph with connectors.

use schema::link::{self, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;

use super::dump::dump;
use super::support::{graph, load, supergraph};

const LINK: &str = r#"
    @link(url: "https://specs.apollo.dev/connect/v0.3", for: EXECUTION)
    @join__directive(graphs: [REST], name: "link", args: {
      url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect", "@source"]
    })
    @join__directive(graphs: [REST], name: "source", args: {
      name: "api", http: { baseURL: "https://api.example.com" }
    })"#;

const TYPES: &str = r#"
    type Query @join__type(graph: REST) @join__type(graph: TALK) {
      users(first: Int = 10): [User]
        @join__field(graph: REST)
        @join__directive(graphs: [REST], name: "connect", args: {
          source: "api", http: { GET: "/users?n={$args.first}" }, selection: "id tier"
        })
      latest: Review @join__field(graph: TALK)
    }
    type User @join__type(graph: REST, key: "id") @join__type(graph: TALK, key: "id")
      @join__directive(graphs: [REST], name: "connect", args: {
        source: "api", http: { GET: "/users/{$this.id}" }, selection: "id tier name"
      })
    {
      id: ID!
      tier: Tier @join__field(graph: REST)
      name: String @join__field(graph: REST)
      reviews: [Review] @join__field(graph: TALK)
    }
    type Review @join__type(graph: TALK) { by: User }
    enum Tier @join__type(graph: REST) {
      FREE @join__enumValue(graph: REST)
      GOLD @join__enumValue(graph: REST)
    }"#;

fn text() -> String {
    let text = supergraph(&["rest", "talk"], TYPES);
    text.replace("{ query: Query }", &format!("{LINK}\n{{ query: Query }}"))
}

#[test]
fn connectors_are_sources_beside_graphql_subgraphs() {
    insta::assert_snapshot!(dump(&graph(&text())), @r"
    rest:Query.users[0] at connector
      enter Query by () to 1
      0 User
        id
        tier
      1 Query
        users to 0
    rest:User[0] at connector
      enter User by (id) to 0
      0 User
        id
        tier
        name
    talk at http://talk.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        latest: Review to 2
      1 User
        id: ID!
        reviews: [Review] to 2
      2 Review
        by: User to 1
    ");
}

#[test]
fn connectors_of_a_supergraph_equal_those_of_its_subgraph() {
    let sdl = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.10", import: ["@key"])
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@connect", "@source"])
      @source(name: "api", http: { baseURL: "https://api.example.com" })
    type Query {
      users(first: Int = 10): [User]
        @connect(source: "api", http: { GET: "/users?n={$args.first}" }, selection: "id tier")
    }
    type User @key(fields: "id")
      @connect(source: "api", http: { GET: "/users/{$this.id}" }, selection: "id tier name")
    { id: ID! tier: Tier name: String }
    enum Tier { FREE GOLD }"#;
    let subgraph = Subgraph {
        name: "rest".into(),
        url: None,
        document: Document::new("rest.graphql", sdl),
    };
    let (linked, problems) = link::link(&[subgraph], LinkOptions::default());
    assert_eq!(problems, []);

    let loaded = dump(&graph(&text()));

    let linked = dump(&linked.unwrap());
    assert!(loaded.starts_with(&linked), "{linked}\n{loaded}");
}

#[test]
fn connector_diagnostics_point_into_the_rebuilt_sdl() {
    let text = text().replace("/users/{$this.id}", "/users/{$this.idd}");

    let (graph, problems) = load(&text);

    assert!(graph.is_none());
    insta::assert_snapshot!(problems, @r#"
    error[UNDEFINED_FIELD]: `idd` is not a field of `User`
     --> supergraph.graphql (rest):9:99
      |
    9 | type User @key(fields: "id", resolvable: true) @connect(source: "api", http: {GET: "/users/{$this.idd}"}, selection: "id tier name") {
      |                                                                                                   ^^^
      |
      = help: write `id`
    "#);
}
