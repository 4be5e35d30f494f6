//! Supergraphs with other versions of the join specification, and with renamed specifications.

use super::dump::dump;
use super::support::{definitions, graph, graphs};

#[test]
fn the_supergraph_of_federation_1_is_read() {
    insta::assert_snapshot!(dump(&graph(FEDERATION_1)), @r"
    accounts at http://accounts.example.com
      enter Query by () to 0
      enter User by (id) to 1
      enter User by (email) to 1
      0 Query
        me: User to 1
      1 User
        id: ID!
        email: String
        name: Name to 2
      2 Name
        first: String
    reviews at http://reviews.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        latest: Review to 2
      1 User
        reviews: [Review] to 2
        rank: Int needs { email }
        id: ID!
      2 Review
        body: String
        author: User to 3
      3 User
        reviews: [Review] to 2
        rank: Int needs { email }
        id: ID!
        name: Name to 4
      4 Name
        first: String
    ");
    insta::assert_snapshot!(graph(FEDERATION_1).client_sdl(), @r"
    type Query {
      me: User
      latest: Review
    }

    type User {
      id: ID!
      email: String
      name: Name
      reviews: [Review]
      rank: Int
    }

    type Name {
      first: String
    }

    interface Content {
      body: String
    }

    type Review implements Content {
      body: String
      author: User
    }

    union Found = Review | User
    ");
}

const FEDERATION_1: &str = r#"
schema
  @core(feature: "https://specs.apollo.dev/core/v0.2")
  @core(feature: "https://specs.apollo.dev/join/v0.1", for: EXECUTION)
{ query: Query }
directive @core(feature: String!, as: String, for: core__Purpose) repeatable on SCHEMA
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet) on FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__owner(graph: join__Graph!) on INTERFACE | OBJECT
directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on INTERFACE | OBJECT
enum core__Purpose { EXECUTION SECURITY }
scalar join__FieldSet
enum join__Graph {
  ACCOUNTS @join__graph(name: "accounts", url: "http://accounts.example.com")
  REVIEWS @join__graph(name: "reviews", url: "http://reviews.example.com")
}
type Query { me: User @join__field(graph: ACCOUNTS) latest: Review @join__field(graph: REVIEWS) }
type User
  @join__owner(graph: ACCOUNTS)
  @join__type(graph: ACCOUNTS, key: "id")
  @join__type(graph: ACCOUNTS, key: "email")
  @join__type(graph: REVIEWS, key: "id")
{
  id: ID! @join__field(graph: ACCOUNTS)
  email: String @join__field(graph: ACCOUNTS)
  name: Name
  reviews: [Review] @join__field(graph: REVIEWS)
  rank: Int @join__field(graph: REVIEWS, requires: "email")
}
type Name { first: String }
interface Content { body: String }
type Review implements Content { body: String author: User @join__field(graph: REVIEWS, provides: "name { first }") }
union Found = Review | User
"#;

#[test]
fn version_0_2_does_not_say_which_members_a_union_has_where() {
    let types = r"
    type Query @join__type(graph: A) @join__type(graph: B) { either: Either }
    union Either @join__type(graph: A) @join__type(graph: B) = X | Y
    type X @join__type(graph: A) @join__type(graph: B) { x: Int }
    type Y @join__type(graph: B) { y: Int }";
    let text = format!(
        r#"schema
          @link(url: "https://specs.apollo.dev/link/v1.0")
          @link(url: "https://specs.apollo.dev/join/v0.2", for: EXECUTION)
        {{ query: Query }}
        {types} {} {}"#,
        graphs(&["a", "b"], "join"),
        definitions("join"),
    );

    insta::assert_snapshot!(dump(&graph(&text)), @r"
    a at http://a.example.com
      enter Query by () to 0
      0 Query
        either: Either to 1
      1 Either = X 2
      2 X
        x: Int
    b at http://b.example.com
      enter Query by () to 0
      0 Query
        either: Either to 1
      1 Either = X 2 | Y 3
      2 X
        x: Int
      3 Y
        y: Int
    ");
}

#[test]
fn specifications_may_have_other_names() {
    let types = r#"
    type Query @j__type(graph: A) { item: Item }
    type Item @j__type(graph: A, key: "id") { id: ID! @hidden name: String @tagged(name: "x") }"#;
    let text = format!(
        r#"schema
          @l(url: "https://specs.apollo.dev/link/v1.0", as: "l")
          @l(url: "https://specs.apollo.dev/join/v0.3", as: "j", for: EXECUTION)
          @l(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hidden", for: SECURITY)
          @l(url: "https://specs.apollo.dev/tag/v0.3", import: [{{ name: "@tag", as: "@tagged" }}])
        {{ query: Query }}
        directive @tagged(name: String!) repeatable on FIELD_DEFINITION
        {types} {} {}"#,
        graphs(&["a"], "j"),
        definitions("j")
            .replace("@link(", "@l(")
            .replace("link__", "l__")
            .replace("@inaccessible", "@hidden"),
    );

    insta::assert_snapshot!(dump(&graph(&text)), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter Item by (id) to 1
      0 Query
        item: Item to 1
      1 Item
        id: ID!
        name: String
    ");
    insta::assert_snapshot!(graph(&text).client_sdl(), @r"
    type Query {
      item: Item
    }

    type Item {
      name: String
    }
    ");
}
