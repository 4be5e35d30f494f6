//! Operations over services that speak GraphQL in, plans out: one test a rule of planning.

use insta::assert_snapshot;
use resolvers::Engine;

use crate::support;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5",
    import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override", "@interfaceObject", "@inaccessible"])
"#;

/// The plan of a query over subgraphs `a`, `b`, `c`, …
#[track_caller]
fn plan(subgraphs: &[&str], query: &str) -> String {
    let names = ["a", "b", "c", "d", "e"];
    let written: Vec<String> = subgraphs.iter().map(|it| format!("{LINK}{it}")).collect();
    let named: Vec<(&str, &str)> = names
        .into_iter()
        .zip(written.iter().map(String::as_str))
        .collect();
    let engine = Engine::new(support::graph(&named), support::settings()).unwrap();
    engine.plan_text(query, None).unwrap()
}

#[test]
fn one_service_that_has_all_is_asked_instead_of_three_that_have_one_each() {
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
fn a_required_field_may_itself_require_what_two_others_give() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! x: Int }"#,
            r#"type Item @key(fields: "id") { id: ID! y: Int }"#,
            r#"type Item @key(fields: "id") { id: ID! x: Int @external y: Int @external sum: Int @requires(fields: "x y") }"#,
            r#"type Item @key(fields: "id") { id: ID! sum: Int @external y: Int @external worth: Int @requires(fields: "sum y") }"#,
        ],
        "{ item { worth } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { x id }
    2. b  _entities
       one batch over item by id
       gives y
       after 1
    3. c  _entities
       one batch over item by id
       told x y of each Item
       gives sum
       after 1, 2
    4. d  _entities
       one batch over item by id
       told sum y of each Item
       gives worth
       after 1, 2, 3
    ");
}

#[test]
fn what_is_required_goes_with_the_key_where_the_service_is_asked_anyway() {
    let plan = plan(
        &[
            r#"type Query { order: Order } type Order { item: Item } type Item @key(fields: "id") { id: ID! weight: Int }"#,
            r#"type Item @key(fields: "id") { id: ID! weight: Int @external stock: Int shipping: Int @requires(fields: "weight") }"#,
        ],
        "{ order { item { stock shipping } } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives order { item { weight id } }
    2. b  _entities
       one batch over order.item by id
       told weight of each Item
       gives stock shipping
       after 1
    ");
}

#[test]
fn what_is_required_of_an_object_inside_is_fetched_first() {
    let plan = plan(
        &[
            r#"type Query { order: Order } type Order @key(fields: "id") { id: ID! buyer: User } type User @key(fields: "id") { id: ID! }"#,
            r#"type User @key(fields: "id") { id: ID! country: String }"#,
            r#"type Order @key(fields: "id") { id: ID! buyer: User @external tax: Int @requires(fields: "buyer { country }") } type User @key(fields: "id") { id: ID! country: String @external }"#,
        ],
        "{ order { tax } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives order { buyer { id } id }
    2. b  _entities
       one batch over order.buyer by id
       gives country
       after 1
    3. c  _entities
       one batch over order by id
       told buyer { country } of each Order
       gives tax
       after 1, 2
    ");
}

#[test]
fn a_service_is_asked_twice_only_where_what_it_gives_is_needed_for_what_it_gives() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") { id: ID! price: Int rate: Int @external cost: Int @requires(fields: "rate") }"#,
            r#"type Item @key(fields: "id") { id: ID! price: Int @external rate: Int @requires(fields: "price") }"#,
        ],
        "{ item { cost price } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives price
       after 1
    3. c  _entities
       one batch over item by id
       told price of each Item
       gives rate
       after 1, 2
    4. b  _entities
       one batch over item by id
       told rate of each Item
       gives cost
       after 1, 3
    ");
}

#[test]
fn what_a_required_object_itself_requires_goes_where_something_else_is_asked_already() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") { id: ID! weight: Int }"#,
            r#"type Item @key(fields: "id") { id: ID! name: String weight: Int @external box: Box @requires(fields: "weight") } type Box { size: Int }"#,
            r#"type Item @key(fields: "id") { id: ID! box: Box @external price: Int @requires(fields: "box { size }") } type Box { size: Int @external }"#,
        ],
        "{ item { name price } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives weight
       after 1
    3. c  _entities
       one batch over item by id
       told weight of each Item
       gives name box { size }
       after 1, 2
    4. d  _entities
       one batch over item by id
       told box { size } of each Item
       gives price
       after 1, 3
    ");
}

#[test]
fn an_interface_object_is_told_what_it_needs_of_objects_of_every_type() {
    let plan = plan(
        &[
            r#"type Query { top: Media } type Media @key(fields: "id") @interfaceObject { id: ID! title: String @external score: Int @requires(fields: "title") }"#,
            r#"interface Media @key(fields: "id") { id: ID! } type Book implements Media @key(fields: "id") { id: ID! title: String } type Song implements Media @key(fields: "id") { id: ID! }"#,
            r#"interface Media { id: ID! title: String } type Song implements Media @key(fields: "id") { id: ID! title: String }"#,
        ],
        "{ top { score } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives top { id }
    2. b  _entities
       one batch over top (Media) by id
       gives title
       after 1
    3. a  _entities
       one batch over top (Book) by id
       told title of each Book
       gives score
       after 1, 2
    4. c  _entities
       one batch over top (Song) by id
       gives title
       after 1, 2
    5. a  _entities
       one batch over top (Song) by id
       told title of each Song
       gives score
       after 1, 2, 4
    ");
}

#[test]
fn what_is_asked_inside_of_one_type_is_not_fetched_inside_of_another() {
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
fn a_key_that_nobody_has_yet_is_fetched_on_the_way() {
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
fn a_key_with_objects_in_it_is_completed_by_others() {
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
fn provided_fields_are_taken_where_they_are_provided() {
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
fn an_overridden_field_is_taken_from_who_took_it_over() {
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
fn entities_of_one_service_at_one_moment_are_one_request() {
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
fn members_of_a_union_are_asked_for_together() {
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
fn an_interface_object_is_asked_of_which_type_it_is_only_where_that_matters() {
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
fn an_object_without_a_key_is_reached_through_the_object_around_it() {
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
fn fields_of_a_mutation_that_follow_each_other_at_one_service_go_together() {
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
fn what_only_a_variable_decides_stays_in_the_plan() {
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
