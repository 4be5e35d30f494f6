//! Plans over subgraphs, a test for each rule of planning: keys, types, and mutations.

use insta::assert_snapshot;
use resolvers::Engine;

use crate::support;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5",
    import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@interfaceObject", "@inaccessible"])
"#;

/// The plan of a query over subgraphs `a`, `b`, `c`, …
#[track_caller]
pub(crate) fn plan(subgraphs: &[&str], query: &str) -> String {
    let names = ["a", "b", "c", "d", "e"];
    let sdls: Vec<String> = subgraphs.iter().map(|it| format!("{LINK}{it}")).collect();
    let subgraphs: Vec<(&str, &str)> = names
        .into_iter()
        .zip(sdls.iter().map(String::as_str))
        .collect();
    let engine = Engine::new(support::graph(&subgraphs), support::settings()).unwrap();
    engine.plan_text(query, None).unwrap()
}

#[test]
fn one_subgraph_with_all_fields_is_preferred_to_three_with_one_each() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") { id: ID! e1: Int @shareable }"#,
            r#"type Item @key(fields: "id") { id: ID! e2: Int @shareable }"#,
            r#"type Item @key(fields: "id") { id: ID! e3: Int @shareable }"#,
            r#"type Item @key(fields: "id") { id: ID! e1: Int @shareable e2: Int @shareable e3: Int @shareable }"#,
        ],
        "{ item { e1 e2 e3 } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { id }
    2. e  _entities
       one batch over item by id
       gives e1 e2 e3
       after 1
    ");
}

#[test]
fn a_selection_below_one_type_is_not_fetched_below_another() {
    let plan = plan(
        &[
            r#"type Query { top: Media } union Media = Book | Song type Book @key(fields: "id") { id: ID! } type Song @key(fields: "id") { id: ID! }"#,
            r#"type Book @key(fields: "id") { id: ID! by: Person } type Person { home: Town @shareable } type Town @key(fields: "id") { id: ID! }"#,
            r#"type Song @key(fields: "id") { id: ID! by: Person } type Person { home: Town @shareable } type Town @key(fields: "id") { id: ID! }"#,
            r#"type Town @key(fields: "id") { id: ID! name: String }"#,
        ],
        "{ top { ... on Book { by { home { name } } } ... on Song { by { home { id } } } } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives top { id }
    2. b  _entities
       one batch over top (Book) by id
       gives by { home { id } }
       after 1
    3. c  _entities
       one batch over top (Song) by id
       gives by { home { id } }
       after 1
    4. d  _entities
       one batch over top.by.home by id
       gives name
       after 2
    ");
}

#[test]
fn missing_keys_are_fetched_on_the_way() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") @key(fields: "sku") { id: ID! sku: ID! }"#,
            r#"type Item @key(fields: "sku") @key(fields: "ean") { sku: ID! ean: ID! }"#,
            r#"type Item @key(fields: "ean") { ean: ID! stock: Int }"#,
        ],
        "{ item { stock } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives sku
       after 1
    3. c  _entities
       one batch over item by sku
       gives ean
       after 2
    4. d  _entities
       one batch over item by ean
       gives stock
       after 3
    ");
}

#[test]
fn a_key_with_nested_objects_is_completed_by_other_subgraphs() {
    let plan = plan(
        &[
            r#"type Query { list: List } type List @key(fields: "items { id }") { items: [Item!]! @shareable } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") @key(fields: "id sku") { id: ID! sku: ID! }"#,
            r#"type List @key(fields: "items { id sku }") { items: [Item!]! @shareable first: Item } type Item @key(fields: "id sku") { id: ID! sku: ID! @shareable }"#,
        ],
        "{ list { first { id } } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives list { items { id } }
    2. b  _entities
       one batch over list.items by id
       gives sku
       after 1
    3. c  _entities
       one batch over list by items { id sku }
       gives first { id }
       after 1, 2
    ");
}

#[test]
fn provided_fields_are_fetched_where_they_are_provided() {
    let subgraphs = [
        r#"type Query { reviews: [Review] } type Review { author: User @provides(fields: "name") other: User } type User @key(fields: "id") { id: ID! name: String @external }"#,
        r#"type User @key(fields: "id") { id: ID! name: String @shareable }"#,
    ];

    assert_snapshot!(plan(&subgraphs, "{ reviews { author { name } } }"), @r"
    1. a  query
       gives reviews { author { name } }
    ");
    assert_snapshot!(plan(&subgraphs, "{ reviews { other { name } } }"), @r"
    1. a  query
       gives reviews { other { id } }
    2. b  _entities
       one batch over reviews.other by id
       gives name
       after 1
    ");
}

#[test]
fn an_overridden_field_is_fetched_from_the_overriding_subgraph() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! price: Int }"#,
            r#"type Item @key(fields: "id") { id: ID! price: Int @override(from: "a") }"#,
        ],
        "{ item { price } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives price
       after 1
    ");
}

#[test]
fn entities_of_one_subgraph_and_step_are_one_request() {
    let plan = plan(
        &[
            r#"type Query { order: Order } type Order { buyer: User seller: User items: [Item] } type User @key(fields: "id") { id: ID! } type Item @key(fields: "id") { id: ID! }"#,
            r#"type User @key(fields: "id") { id: ID! name: String } type Item @key(fields: "id") { id: ID! title: String }"#,
        ],
        "{ order { buyer { name } seller { name } items { title } } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives order { buyer { id } seller { id } items { id } }
    2. b  _entities
       one batch over order.buyer by id
       gives name
       one batch over order.seller by id
       gives name
       one batch over order.items by id
       gives title
       after 1
    ");
}

#[test]
fn members_of_a_union_are_fetched_together() {
    let plan = plan(
        &[
            r#"type Query { feed: [Media] } union Media = Book | Song | Ad type Book @key(fields: "id") { id: ID! } type Song @key(fields: "id") { id: ID! } type Ad { text: String }"#,
            r#"type Book @key(fields: "id") { id: ID! title: String } type Song @key(fields: "id") { id: ID! title: String }"#,
        ],
        "{ feed { __typename ... on Book { title } ... on Song { title } ... on Ad { text } } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives feed { text id }
    2. b  _entities
       one batch over feed (Book, Song) by id
       gives title
       after 1
    ");
}

#[test]
fn the_type_of_an_interface_object_is_fetched_only_if_it_matters() {
    let subgraphs = [
        r#"interface Media @key(fields: "id") { id: ID! title: String } type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int }"#,
        r#"type Query { top: [Media] } type Media @key(fields: "id") @interfaceObject { id: ID! score: Int }"#,
    ];

    assert_snapshot!(plan(&subgraphs, "{ top { score } }"), @r"
    1. b  query
       gives top { score }
    ");
    assert_snapshot!(plan(&subgraphs, "{ top { score title } }"), @r"
    1. b  query
       gives top { score id }
    2. a  _entities
       one batch over top (Media) by id
       gives title
       after 1
    ");
    assert_snapshot!(plan(&subgraphs, "{ top { __typename score } }"), @r"
    1. b  query
       gives top { score id }
    2. a  _entities
       one batch over top (Media) by id
       gives whether it is there
       after 1
    ");
    assert_snapshot!(plan(&subgraphs, "{ top { ... on Book { pages } } }"), @r"
    1. b  query
       gives top { id }
    2. a  _entities
       one batch over top (Media) by id
       gives pages
       after 1
    ");
}

#[test]
fn an_object_without_a_key_is_reached_through_its_parent() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! details: Details @shareable } type Details { color: String }"#,
            r#"type Item @key(fields: "id") { id: ID! details: Details @shareable } type Details { size: Int }"#,
        ],
        "{ item { details { color size } } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { details { color } id }
    2. b  _entities
       one batch over item by id
       gives details { size }
       after 1
    ");
}

#[test]
fn consecutive_mutation_fields_of_one_subgraph_are_one_request() {
    let plan = plan(
        &[
            r#"type Query { x: Int @shareable } type Mutation { one: Item two: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Mutation { three: Item } type Item @key(fields: "id") { id: ID! name: String }"#,
        ],
        "mutation { one { name } two { id } three { name } again: one { id } }",
    );

    assert_snapshot!(plan, @r"
    1. a  mutation
       gives one { id } two { id }
    2. b  _entities
       one batch over one by id
       gives name
       after 1
    3. b  mutation
       gives three { name }
       after everything of root field 1
    4. a  mutation
       gives one { id }
       after everything of root field 2
    ");
}

#[test]
fn conditions_by_variables_stay_in_the_plan() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! name: String }"#,
            r#"type Item @key(fields: "id") { id: ID! price: Int }"#,
        ],
        "query($a: Boolean!) { item { name price @include(if: $a) } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { name id }
    2. b  _entities
       one batch over item by id
       gives price
       if $a
       after 1
    ");
}

#[test]
fn of_two_keys_the_one_that_is_there_earlier_is_used() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") { id: ID! twin: Twin @shareable other: Item } type Twin { id: ID! @shareable }"#,
            r#"type Item @key(fields: "twin { id }") @key(fields: "id") { id: ID! twin: Twin @shareable price: Int stock: Int }
               type Twin { id: ID! @shareable }"#,
        ],
        "{ item { other { price } stock } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives other { twin { id } }
       after 1
    3. c  _entities
       one batch over item by id
       gives stock
       after 1
    4. c  _entities
       one batch over item.other by twin { id }
       gives price
       after 2
    ");
}
