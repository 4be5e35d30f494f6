//! The API schema of a supergraph.

use super::dump::dump;
use super::support::{graph, supergraph};

#[test]
fn the_api_schema_has_no_specifications_and_no_inaccessible_elements() {
    let graph = graph(&supergraph(&["a", "b"], TYPES));

    insta::assert_snapshot!(graph.client_sdl(), @r#"
    directive @live(after: Int) on FIELD

    """The root."""
    type Query {
      """All users."""
      user(by: By): User
      old: Int @deprecated(reason: "no more")
    }

    type User {
      tier: Tier
    }

    union Any = User

    enum Tier {
      FREE
    }

    input By {
      id: ID
    }

    scalar Time @specifiedBy(url: "https://time.example.com")
    "#);
    insta::assert_snapshot!(dump(&graph), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        user: User to 1
      1 User
        id: ID!
        tier: Tier
        hidden: Hidden to 2
      2 Hidden
        a: Int
    b at http://b.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        old: Int
      1 User
        id: ID!
        tier: Tier
        hidden: Hidden to 2
      2 Hidden
        a: Int
    ");
    let types = graph.types();
    assert!(types.find("Hidden").is_some());
    assert!(types.find("join__Graph").is_none());
    assert!(types.find("link__Import").is_none());
}

const TYPES: &str = r#"
    directive @live(after: Int) on FIELD
    directive @internal on FIELD_DEFINITION
    "The root."
    type Query @join__type(graph: A) @join__type(graph: B) {
      "All users."
      user(by: By, secret: Int @inaccessible): User @join__field(graph: A) @internal
      old: Int @deprecated(reason: "no more") @join__field(graph: B)
    }
    type User implements Node @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__implements(graph: A, interface: "Node")
    {
      id: ID! @inaccessible
      tier: Tier
      hidden: Hidden @inaccessible
    }
    interface Node @join__type(graph: A) @inaccessible { id: ID! }
    type Hidden @join__type(graph: A) @join__type(graph: B) @inaccessible { a: Int }
    union Any @join__type(graph: A)
      @join__unionMember(graph: A, member: "User")
      @join__unionMember(graph: A, member: "Hidden")
      = User | Hidden
    enum Tier @join__type(graph: A) @join__type(graph: B) {
      FREE @join__enumValue(graph: A) @join__enumValue(graph: B)
      INTERNAL @join__enumValue(graph: A) @inaccessible
    }
    input By @join__type(graph: A) { id: ID, secret: String @inaccessible }
    scalar Time @join__type(graph: A) @specifiedBy(url: "https://time.example.com")"#;
