//! Sources of subgraphs with interfaces, unions and interface objects.

use super::support::views;

#[test]
fn fragments_in_provides_add_fields_to_members() {
    let types = r#"
    type Query @join__type(graph: A) {
      plain: Media
      some: Media @join__field(graph: A, provides: "... on Book { title } ... on Named { name }")
      all: Named @join__field(graph: A, provides: "name")
    }
    union Media @join__type(graph: A)
      @join__unionMember(graph: A, member: "Book") @join__unionMember(graph: A, member: "Film")
      @join__unionMember(graph: A, member: "Song") = Book | Film | Song
    interface Named @join__type(graph: A) { name: String }
    type Book implements Named @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__implements(graph: A, interface: "Named")
    { id: ID!
      name: String @join__field(graph: A, external: true) @join__field(graph: B)
      title: String @join__field(graph: A, external: true) @join__field(graph: B) }
    type Film implements Named @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__implements(graph: A, interface: "Named")
    { id: ID! name: String @join__field(graph: A, external: true) @join__field(graph: B) }
    type Song @join__type(graph: A) { id: ID! }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter Book by (id) to 1
      enter Film by (id) to 2
      0 Query
        plain: Media to 3
        some: Media to 4
        all: Named to 5
      1 Book
        id: ID!
      2 Film
        id: ID!
      3 Media = Book 1 | Film 2 | Song 6
      4 Media = Book 7 | Film 8 | Song 6
      5 Named = Book 9 | Film 8
        name: String
      6 Song
        id: ID!
      7 Book
        id: ID!
        name: String
        title: String
      8 Film
        id: ID!
        name: String
      9 Book
        id: ID!
        name: String
    b at http://b.example.com
      enter Book by (id) to 0
      enter Film by (id) to 1
      0 Book
        id: ID!
        name: String
        title: String
      1 Film
        id: ID!
        name: String
    ");
}

#[test]
fn members_are_those_of_each_subgraph() {
    let types = r#"
    type Query @join__type(graph: A) @join__type(graph: B) {
      named: Named
      either: Either
    }
    interface Named @join__type(graph: A) @join__type(graph: B) { name: String }
    union Either @join__type(graph: A) @join__type(graph: B)
      @join__unionMember(graph: A, member: "X")
      @join__unionMember(graph: B, member: "X")
      @join__unionMember(graph: B, member: "Y")
      = X | Y
    type X implements Named @join__type(graph: A) @join__type(graph: B)
      @join__implements(graph: A, interface: "Named")
    { name: String }
    type Y implements Named @join__type(graph: B) @join__implements(graph: B, interface: "Named")
    { name: String }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      0 Query
        named: Named to 1
        either: Either to 2
      1 Named = X 3
        name: String
      2 Either = X 3
      3 X
        name: String
    b at http://b.example.com
      enter Query by () to 0
      0 Query
        named: Named to 1
        either: Either to 2
      1 Named = Y 3
        name: String
      2 Either = X 4 | Y 3
      3 Y
        name: String
      4 X
        name: String
    ");
}

#[test]
fn an_interface_field_is_available_when_every_member_has_it_without_requirements() {
    let types = r#"
    type Query @join__type(graph: A) { all: [Named] }
    interface Named @join__type(graph: A) { id: ID! given: Int external: Int needy: Int taken: Int }
    type X implements Named @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__implements(graph: A, interface: "Named")
    { id: ID! given: Int @join__field(graph: A) external: Int @join__field(graph: A)
      needy: Int @join__field(graph: A) taken: Int @join__field(graph: A) }
    type Y implements Named @join__type(graph: A, key: "id") @join__type(graph: B, key: "id")
      @join__implements(graph: A, interface: "Named")
    {
      id: ID!
      given: Int @join__field(graph: A)
      external: Int @join__field(graph: A, external: true) @join__field(graph: B)
      needy: Int @join__field(graph: A, requires: "external")
      taken: Int @join__field(graph: A, usedOverridden: true) @join__field(graph: B, override: "a")
    }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter X by (id) to 1
      enter Y by (id) to 2
      0 Query
        all: [Named] to 3
      1 X
        id: ID!
        given: Int
        external: Int
        needy: Int
        taken: Int
      2 Y
        id: ID!
        given: Int
        needy: Int needs { external }
      3 Named = X 1 | Y 2
        id: ID!
        given: Int
    b at http://b.example.com
      enter X by (id) to 0
      enter Y by (id) to 1
      0 X
        id: ID!
      1 Y
        id: ID!
        external: Int
        taken: Int
    ");
}

#[test]
fn an_interface_with_a_key_has_an_entry_point() {
    let types = r#"
    type Query @join__type(graph: A) { all: [Node] }
    interface Node @join__type(graph: A, key: "id") { id: ID! }
    type X implements Node @join__type(graph: A, key: "id")
      @join__implements(graph: A, interface: "Node")
    { id: ID! x: Int }"#;

    insta::assert_snapshot!(views(&["a"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter Node by (id) to 1
      enter X by (id) to 2
      0 Query
        all: [Node] to 1
      1 Node = X 2
        id: ID!
      2 X
        id: ID!
        x: Int
    ");
}

#[test]
fn an_interface_object_has_an_entry_point_for_every_object_type() {
    let types = r#"
    type Query @join__type(graph: A) @join__type(graph: B) {
      all: [Node] @join__field(graph: A)
      some: [Node] @join__field(graph: B)
    }
    interface Node
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id", isInterfaceObject: true)
    {
      id: ID!
      name: String @join__field(graph: A) @join__field(graph: B, external: true)
      greeting: String @join__field(graph: B, requires: "name")
    }
    type X implements Node @join__type(graph: A, key: "id")
      @join__implements(graph: A, interface: "Node")
    { id: ID! name: String greeting: String @join__field }
    type Y implements Node @join__type(graph: A, key: "id")
      @join__implements(graph: A, interface: "Node")
    { id: ID! name: String greeting: String @join__field }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter Node by (id) to 1
      enter X by (id) to 2
      enter Y by (id) to 3
      0 Query
        all: [Node] to 1
      1 Node = X 2 | Y 3
        id: ID!
        name: String
      2 X
        id: ID!
        name: String
      3 Y
        id: ID!
        name: String
    b at http://b.example.com
      enter Query by () to 0
      enter Node by (id) to 1
      enter X as Node by (id) to 1
      enter Y as Node by (id) to 1
      0 Query
        some: [Node] to 1
      1 Node of any kind
        id: ID!
        greeting: String needs { name }
    ");
}

#[test]
fn an_overridden_field_is_available_in_keys_only() {
    let types = r#"
    type Query @join__type(graph: A) { item: Item }
    type Item
      @join__type(graph: A, key: "id")
      @join__type(graph: A, key: "sku")
      @join__type(graph: B, key: "id")
    {
      id: ID!
      sku: ID @join__field(graph: A, usedOverridden: true) @join__field(graph: B, override: "a")
      name: ID @join__field(graph: A) @join__field(graph: B, override: "a")
      gone: ID @join__field(graph: B, override: "a graph that is no more")
    }"#;

    insta::assert_snapshot!(views(&["a", "b"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter Item by (id) to 1
      enter Item by (sku) to 1
      0 Query
        item: Item to 1
      1 Item
        id: ID!
        sku: ID
    b at http://b.example.com
      enter Item by (id) to 0
      0 Item
        id: ID!
        sku: ID
        name: ID
        gone: ID
    ");
}

#[test]
fn unlisted_key_fields_are_external_except_in_extensions() {
    let types = r#"
    type Query @join__type(graph: A) @join__type(graph: B) {
      a: User @join__field(graph: A, provides: "name")
      b: User @join__field(graph: B)
    }
    type User
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id name", extension: true)
      @join__type(graph: C, key: "id")
    {
      id: ID! @join__field(graph: C)
      name: String @join__field(graph: B, external: true) @join__field(graph: C)
    }"#;

    insta::assert_snapshot!(views(&["a", "b", "c"], types), @r"
    a at http://a.example.com
      enter Query by () to 0
      enter User by (id) to 1
      0 Query
        a: User to 2
      1 User
      2 User
        name: String
    b at http://b.example.com
      enter Query by () to 0
      enter User by (id name) to 1
      0 Query
        b: User to 1
      1 User
        name: String
        id: ID!
    c at http://c.example.com
      enter User by (id) to 0
      0 User
        id: ID!
        name: String
    ");
}
