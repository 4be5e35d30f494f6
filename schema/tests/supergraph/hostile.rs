//! Malformed supergraphs: linking terminates and does not panic.

use std::fmt::Write as _;

use super::support::{graph, load, supergraph, views};

#[test]
fn nested_provides_through_many_members_have_bounded_nodes() {
    let mut types = String::from(
        "interface Node @join__type(graph: A) @join__type(graph: B) { next: Node name: String }\n",
    );
    for member in 0..12 {
        let _ = writeln!(
            types,
            r#"type N{member} implements Node @join__type(graph: A) @join__type(graph: B)
              @join__implements(graph: A, interface: "Node")
              @join__implements(graph: B, interface: "Node")
            {{ next: Node name: String @join__field(graph: A, external: true) @join__field(graph: B) }}"#
        );
    }
    let nested = format!("{}name{}", "next { ".repeat(40), " }".repeat(40));
    let _ = writeln!(
        types,
        r#"type Query @join__type(graph: A) {{ node: Node @join__field(graph: A, provides: "{nested}") }}"#
    );

    let views = views(&["a", "b"], &types);

    // The interface and its members at each of 41 depths, and the last place once more.
    let nodes = views
        .lines()
        .filter(|line| line.contains(" Node = "))
        .count();
    assert_eq!(nodes, 42);
}

#[test]
fn multiplying_requirements_are_rejected() {
    let mut types = String::new();
    for member in 0..30 {
        let _ = writeln!(
            types,
            r#"type N{member} implements Left & Right @join__type(graph: A)
              @join__implements(graph: A, interface: "Left")
              @join__implements(graph: A, interface: "Right")
            {{ left: Left right: Right }}"#
        );
    }
    let nested = (0..6).fold("__typename".to_owned(), |inner, _| {
        format!("left {{ ... on Left {{ ... on Right {{ ... on Left {{ {inner} }} }} }} }}")
    });
    let _ = writeln!(
        types,
        r#"interface Left @join__type(graph: A) {{ left: Left }}
        interface Right @join__type(graph: A) {{ right: Right }}
        type Other implements Left @join__type(graph: A)
          @join__implements(graph: A, interface: "Left")
        {{ left: Left }}
        type Query @join__type(graph: A) {{ item: Item }}
        type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {{
          id: ID!
          left: Left @join__field(graph: A)
          much: Int @join__field(graph: B, requires: "{nested}")
        }}"#
    );

    let (graph, problems) = load(&supergraph(&["a", "b"], &types));

    assert!(graph.is_none());
    assert!(
        problems.contains("the field set has too many fields"),
        "{problems}"
    );
}

#[test]
fn nodes_are_bounded_by_the_fields_of_field_sets() {
    let fields = ["a", "b", "c", "d"];
    let mut random = Random(1);
    let mut written = 0;
    let mut types = String::from(
        "type T @join__type(graph: A) @join__type(graph: B) {
          x: Int @join__field(graph: A, external: true) @join__field(graph: B)\n",
    );
    for field in fields {
        let mut sets = Vec::new();
        for _ in 0..5 {
            let way: Vec<_> = (0..30).map(|_| fields[random.below(4)]).collect();
            written += way.len();
            sets.push(format!("{} {{ x }}{}", way.join(" { "), " }".repeat(29)));
        }
        let sets = sets.join(" ");
        let _ = writeln!(
            types,
            "{field}: T @join__field(graph: A, provides: \"{sets}\")"
        );
    }
    types.push_str("}\ntype Query @join__type(graph: A) { t: T }");

    let graph = graph(&supergraph(&["a", "b"], &types));

    let (_, source) = graph.sources().next().unwrap();
    let nodes = source.nodes.len();
    assert!(
        (written / 2..written * 2).contains(&nodes),
        "{nodes} of {written}"
    );
}

#[test]
fn a_mutated_supergraph_never_panics() {
    let mut random = Random(7);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..300 {
        let (graph, problems) = load(&torn(WHOLE, &mut random));
        assert!(graph.is_some() || !problems.is_empty());
        if graph.is_some() {
            read += 1;
        } else {
            refused += 1;
        }
    }
    assert!(read > 20 && refused > 20, "{read} read, {refused} refused");
}

const WHOLE: &str = r#"
    type Query @join__type(graph: A) @join__type(graph: B) {
      items: [Item] @join__field(graph: A, provides: "size { ... on Box { width } }")
      node: Node @join__field(graph: B)
    }
    interface Node
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id", isInterfaceObject: true)
    { id: ID! rank: Int @join__field(graph: B, requires: "id") }
    type Item implements Node
      @join__implements(graph: A, interface: "Node")
      @join__type(graph: A, key: "id cost")
      @join__type(graph: A, key: "id")
      @join__type(graph: B, key: "id", resolvable: false)
    {
      id: ID!
      rank: Int @join__field
      size: Size @join__field(graph: A, override: "b") @join__field(graph: B, usedOverridden: true)
      cost: Int
        @join__field(graph: A, requires: "size { ... on Box { width(in: 2) } }", type: "Int!")
    }
    union Size @join__type(graph: A) @join__type(graph: B)
      @join__unionMember(graph: A, member: "Box")
      @join__unionMember(graph: B, member: "Box")
      = Box
    type Box @join__type(graph: A) @join__type(graph: B) {
      width(in: Int): Int @inaccessible @join__field(graph: A, external: true) @join__field(graph: B)
      depth: Int
    }
    enum Unit @join__type(graph: A) { EURO @join__enumValue(graph: A) }
"#;

/// A supergraph with a few words of `text` removed, doubled or swapped.
fn torn(text: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = text
        .split_inclusive(|it: char| !it.is_alphanumeric())
        .collect();
    for _ in 0..=random.below(3) {
        let (one, other) = (random.below(words.len()), random.below(words.len()));
        match random.below(3) {
            0 => drop(words.remove(one)),
            1 => words.insert(one, words[other]),
            _ => words.swap(one, other),
        }
    }
    supergraph(&["a", "b"], &words.concat())
}

/// A deterministic random number generator (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }
}
