//! The sources of the subgraphs of a supergraph, rule by rule.

use super::dump::dump;
use super::support::{graph, supergraph, views};

#[test]
fn a_field_is_in_its_joined_subgraphs_or_in_all_with_the_type() {
    let types = r#"
    type Query @join__type(graph: A) @join__type(graph: B) {
      user: User @join__field(graph: A)
      both: Int
    }
    type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A)
      age: Int @join__field(graph: B)
      unowned: Int @join__field
    }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        user: User to 1
        both: Int
      1 User
        id: ID!
        name: String
    b at http://b.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        both: Int
      1 User
        id: ID!
        age: Int
    ");
}

#[test]
fn a_field_has_the_type_of_its_subgraph() {
    let types = r#"
    type Query @join__type(graph: A) @join__type(graph: B) {
      list: [Item] @join__field(graph: A, type: "[Item!]!") @join__field(graph: B)
    }
    type Item @join__type(graph: A) @join__type(graph: B) { id: ID! }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      0 Query
        list: [Item!]! to 1
      1 Item
        id: ID!
    b at http://b.example.com
      enter Query by () to 0
      0 Query
        list: [Item] to 1
      1 Item
        id: ID!
    ");
}

#[test]
fn root_types_with_fields_have_an_entry_point() {
    let types = r"
    type Query @join__type(graph: A) @join__type(graph: B) { a: Int @join__field(graph: A) }
    type Mutation @join__type(graph: B) { set: Int }";
    let roots = "{ query: Query mutation: Mutation }";
    let text = supergraph(&["a", "b"], types).replace("{ query: Query }", roots);

    insta::assert_snapshot!(dump(&graph(&text)), @r"
    a at http://a.example.com
      enter Query by () to 0
      0 Query
        a: Int
    b at http://b.example.com
      enter Mutation by () to 0
      0 Mutation
        set: Int
    ");
}

#[test]
fn an_external_key_field_is_sent_and_not_resolved() {
    let types = r#"
    type Query @join__type(graph: A) { user: User organization: Organization }
    type User @join__type(graph: A, key: "id organization { id }") {
      id: ID! @join__field(graph: A, external: true)
      organization: Organization @join__field(graph: A, external: true)
    }
    type Organization @join__type(graph: A) @join__type(graph: B, key: "id") {
      id: ID! @join__field(graph: A, external: true) @join__field(graph: B)
      name: String @join__field(graph: A)
    }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter User by (id organization { id }) to 1
      0 Query
        user: User to 1
        organization: Organization to 2
      1 User
      2 Organization
        name: String
    b at http://b.example.com
      enter Organization by (id) to 0
      0 Organization
        id: ID!
    ");
}

#[test]
fn a_key_that_is_not_resolvable_has_no_entry_point() {
    let types = r#"
    type Query @join__type(graph: A) { user: User }
    type User
      @join__type(graph: A, key: "id", resolvable: false)
      @join__type(graph: B, key: "id")
      @join__type(graph: B, key: "id")
      @join__type(graph: B, key: "email")
    {
      id: ID!
      email: String @join__field(graph: B)
    }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      0 Query
        user: User to 1
      1 User
        id: ID!
    b at http://b.example.com
      enter User by (id) to 0
      enter User by (email) to 0
      0 User
        id: ID!
        email: String
    ");
}

#[test]
fn a_key_may_be_the_typename_alone() {
    let types = r#"
    type Query @join__type(graph: A) { viewer: Viewer }
    type Viewer
      @join__type(graph: A, key: "__typename")
      @join__type(graph: B, key: "__typename id")
    { id: ID }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter Viewer by (__typename) to 1
      0 Query
        viewer: Viewer to 1
      1 Viewer
        id: ID
    b at http://b.example.com
      enter Viewer by (id) to 0
      0 Viewer
        id: ID
    ");
}

#[test]
fn requires_becomes_requirements() {
    let types = r#"
    type Query @join__type(graph: A) { item: Item }
    type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      weight(unit: Unit! = GRAM, digits: Int): Int
        @join__field(graph: A) @join__field(graph: B, external: true)
      parts(where: Filter): [Part]
        @join__field(graph: A) @join__field(graph: B, external: true)
      shipping: Int @join__field(
        graph: B
        requires: "weight(digits: 2) parts(where: { name: \"x\" }) { size } parts(where: { name: \"x\" }) { __typename ... on Box { lid } ... { size } }"
      )
    }
    enum Unit @join__type(graph: A) @join__type(graph: B) {
      GRAM @join__enumValue(graph: A) @join__enumValue(graph: B)
    }
    input Filter @join__type(graph: A) @join__type(graph: B) { name: String limit: Int = 5 }
    interface Part @join__type(graph: A) @join__type(graph: B) { size: Int }
    type Box implements Part
      @join__implements(graph: A, interface: "Part")
      @join__implements(graph: B, interface: "Part")
      @join__type(graph: A)
      @join__type(graph: B)
    { size: Int lid: Boolean }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r#"
    a at http://a.example.com
      enter Query by () to 0
      enter Item by (id) to 1
      0 Query
        item: Item to 1
      1 Item
        id: ID!
        weight: Int
        parts: [Part] to 2
      2 Part = Box 3
        size: Int
      3 Box
        size: Int
        lid: Boolean
    b at http://b.example.com
      enter Item by (id) to 0
      0 Item
        id: ID!
        shipping: Int needs { weight(unit: "GRAM", digits: 2) parts(where: {name: "x", limit: 5}) { size __typename ... on Box { lid } } }
    "#);
}

#[test]
fn requirements_in_nested_fragments_apply_to_the_intersection() {
    let types = r#"
    type Query @join__type(graph: A) { item: Item }
    type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      thing: Thing @join__field(graph: A) @join__field(graph: B, external: true)
      needs: Int @join__field(
        graph: B
        requires: "thing { ... on Named { name ... on Sized { size } ... on X { x } ... on Z { z } } }"
      )
    }
    union Thing @join__type(graph: A) @join__type(graph: B)
      @join__unionMember(graph: A, member: "X")
      @join__unionMember(graph: A, member: "Y")
      @join__unionMember(graph: A, member: "Z")
      = X | Y | Z
    interface Named @join__type(graph: A) { name: String }
    interface Sized @join__type(graph: A) { size: Int }
    type X implements Named & Sized @join__type(graph: A)
      @join__implements(graph: A, interface: "Named")
      @join__implements(graph: A, interface: "Sized")
    { name: String size: Int x: Int }
    type Y implements Named @join__type(graph: A) @join__implements(graph: A, interface: "Named")
    { name: String y: Int }
    type Z implements Sized @join__type(graph: A) @join__implements(graph: A, interface: "Sized")
    { size: Int z: Int }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter Item by (id) to 1
      0 Query
        item: Item to 1
      1 Item
        id: ID!
        thing: Thing to 2
      2 Thing = X 3 | Y 4 | Z 5
      3 X
        name: String
        size: Int
        x: Int
      4 Y
        name: String
        y: Int
      5 Z
        size: Int
        z: Int
    b at http://b.example.com
      enter Item by (id) to 0
      0 Item
        id: ID!
        needs: Int needs { thing { ... on Named { name } ... on X { size } ... on X { x } } }
    ");
}

#[test]
fn a_place_with_provided_fields_has_its_own_node() {
    let types = r#"
    type Query @join__type(graph: A) {
      plain: User
      named: User @join__field(graph: A, provides: "name id")
      named_too: [User] @join__field(graph: A, provides: "name")
      deep: User @join__field(graph: A, provides: "friend { friend { name } }")
    }
    type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A, external: true) @join__field(graph: B)
      friend: User @join__field(graph: A)
    }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        plain: User to 1
        named: User to 2
        named_too: [User] to 2
        deep: User to 3
      1 User
        id: ID!
        friend: User to 1
      2 User
        id: ID!
        name: String
        friend: User to 1
      3 User
        id: ID!
        friend: User to 4
      4 User
        id: ID!
        friend: User to 2
    b at http://b.example.com
      enter User by (id) to 0
      0 User
        id: ID!
        name: String
    ");
}

#[test]
fn provides_of_provided_fields_apply() {
    let types = r#"
    type Query @join__type(graph: A) {
      user: User @join__field(graph: A, provides: "best { age }")
    }
    type User @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      name: String @join__field(graph: A, external: true) @join__field(graph: B)
      age: String @join__field(graph: A, external: true) @join__field(graph: B)
      best: User
        @join__field(graph: A, external: true, provides: "name") @join__field(graph: B)
    }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        user: User to 2
      1 User
        id: ID!
      2 User
        id: ID!
        best: User to 3
      3 User
        id: ID!
        name: String
        age: String
    b at http://b.example.com
      enter User by (id) to 0
      0 User
        id: ID!
        name: String
        age: String
        best: User to 0
    ");
}
