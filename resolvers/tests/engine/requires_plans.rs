//! Plans with requirements (`@requires`): when they are fetched, and where they are sent.

use insta::assert_snapshot;

use crate::federated_plans::plan;

#[test]
fn a_required_field_may_have_requirements_of_two_other_subgraphs() {
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
fn requirements_are_sent_with_the_key_in_one_fetch() {
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
fn requirements_of_nested_objects_are_fetched_first() {
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
fn a_subgraph_is_fetched_from_twice_only_if_its_fields_require_each_other() {
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
fn a_required_object_waits_for_its_own_requirements_only() {
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
       gives name
       after 1
    4. c  _entities
       one batch over item by id
       told weight of each Item
       gives box { size }
       after 1, 2
    5. d  _entities
       one batch over item by id
       told box { size } of each Item
       gives price
       after 1, 4
    ");
}

#[test]
fn an_interface_object_gets_requirements_from_objects_of_every_type() {
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
fn a_field_without_requirements_does_not_wait_for_those_of_others() {
    let subgraphs = [
        r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
        r#"type Item @key(fields: "id") { id: ID! price: Int }"#,
        r#"type Item @key(fields: "id") { id: ID! price: Int @external cost: Int @requires(fields: "price") plain: Int part: Part } type Part @key(fields: "id") { id: ID! }"#,
        r#"type Part @key(fields: "id") { id: ID! name: String }"#,
    ];

    let leaf = plan(&subgraphs, "{ item { cost plain } }");
    let object = plan(&subgraphs, "{ item { part { name } cost } }");
    let only = plan(&subgraphs, "{ item { cost } }");

    assert_snapshot!(leaf, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives price
       after 1
    3. c  _entities
       one batch over item by id
       gives plain
       after 1
    4. c  _entities
       one batch over item by id
       told price of each Item
       gives cost
       after 1, 2
    ");
    assert_snapshot!(object, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives price
       after 1
    3. c  _entities
       one batch over item by id
       gives part { id }
       after 1
    4. c  _entities
       one batch over item by id
       told price of each Item
       gives cost
       after 1, 2
    5. d  _entities
       one batch over item.part by id
       gives name
       after 3
    ");
    assert_snapshot!(only, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives price
       after 1
    3. c  _entities
       one batch over item by id
       told price of each Item
       gives cost
       after 1, 2
    ");
}

#[test]
fn a_requirement_that_is_there_as_early_as_the_key_needs_no_second_fetch() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") @key(fields: "sku") { id: ID! sku: ID! price: Int }"#,
            r#"type Item @key(fields: "sku") { sku: ID! price: Int @external cost: Int @requires(fields: "price") plain: Int }"#,
        ],
        "{ item { cost plain } }",
    );

    assert_snapshot!(plan, @r"
    1. a  query
       gives item { id }
    2. b  _entities
       one batch over item by id
       gives price sku
       after 1
    3. c  _entities
       one batch over item by sku
       told price of each Item
       gives cost plain
       after 2
    ");
}

#[test]
fn each_requirement_is_waited_for_by_its_own_field() {
    let plan = plan(
        &[
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#,
            r#"type Item @key(fields: "id") { id: ID! price: Int }"#,
            r#"type Item @key(fields: "id") { id: ID! price: Int @external rate: Int @requires(fields: "price") }"#,
            r#"type Item @key(fields: "id") { id: ID! price: Int @external rate: Int @external cost: Int @requires(fields: "price") tax: Int @requires(fields: "rate") }"#,
        ],
        "{ item { tax cost } }",
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
    4. d  _entities
       one batch over item by id
       told price of each Item
       gives cost
       after 1, 2
    5. d  _entities
       one batch over item by id
       told rate of each Item
       gives tax
       after 1, 3
    ");
}
