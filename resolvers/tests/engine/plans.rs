//! The text that `weir plan` prints, for operations over the demo's graph.

use insta::assert_snapshot;
use resolvers::Engine;

use crate::support::{commerce, graph, settings};

#[track_caller]
fn plan(query: &str) -> String {
    let engine = Engine::new(graph(&commerce()), settings()).unwrap();
    engine
        .plan_text(query, None)
        .unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[test]
fn orders_with_customers_and_products_take_three_fetches() {
    assert_snapshot!(plan("{ orders(first: 50) { nodes { id status customer { id name email } items { quantity product { id name price { amount currency } } } } } }"), @r"
    1. orders:Query.orders[0]  GET /orders
       gives orders(first: 50) { nodes { id status customer { id } items { quantity product { id } } } }
    2. users:User[0]  GET /users
       batches of up to 1000 over orders(first: 50).nodes.customer by id
       gives name email
       after 1
    3. products:Product[0]  GET /products
       batches of up to 1000 over orders(first: 50).nodes.items.product by id
       gives name price { amount currency }
       after 1
    ");
}

#[test]
fn four_levels_take_four_fetches() {
    assert_snapshot!(plan("{ users(first: 20) { nodes { name orders { id items { product { merchant { name } } } } } } }"), @r"
    1. users:Query.users[0]  GET /users
       gives users(first: 20) { nodes { name id } }
    2. orders:User[0]  GET /orders/by-user?first=10
       batches of up to 1000 over users(first: 20).nodes by id
       gives orders { id items { product { id } } }
       after 1
    3. products:Product[0]  GET /products
       batches of up to 1000 over users(first: 20).nodes.orders.items.product by id
       gives merchant { id }
       after 2
    4. users:Merchant[0]  GET /users
       batches of up to 1000 over users(first: 20).nodes.orders.items.product.merchant by id
       gives name
       after 3
    ");
}

#[test]
fn fields_that_a_root_field_returns_are_not_fetched_again() {
    assert_snapshot!(plan("{ order(id: 1) { id status customer { id } merchants { id } total { amount } } }"), @r#"
    1. orders:Query.order[0]  GET /orders
       gives order(id: "1") { id status customer { id } merchants { id } total { amount } }
    "#);
}

#[test]
fn two_aliases_of_one_field_are_fetched_once() {
    assert_snapshot!(plan("{ product(id: 1) { a: name b: name merchant { x: name } } }"), @r#"
    1. products:Query.product[0]  GET /products
       gives product(id: "1") { name merchant { id } }
    2. users:Merchant[0]  GET /users
       batches of up to 1000 over product(id: "1").merchant by id
       gives name
       after 1
    "#);
}

#[test]
fn one_field_with_two_arguments_is_fetched_twice() {
    assert_snapshot!(plan("{ a: product(id: 1) { name } b: product(id: 2) { stock } }"), @r#"
    1. products:Query.product[0]  GET /products
       gives product(id: "1") { name }
    2. products:Query.product[0]  GET /products
       gives product(id: "2") { stock }
    "#);
}

#[test]
fn a_field_with_its_own_connector_is_fetched_by_the_key_of_its_parent() {
    assert_snapshot!(plan("{ user(id: 1) { orderHistory(first: 2) { nodes { id } } } }"), @r#"
    1. users:Query.user[0]  GET /users
       gives user(id: "1") { id }
    2. orders:User.orderHistory[0]  GET /orders
       one call for each of user(id: "1") by id
       gives orderHistory(first: 2) { nodes { id } }
       after 1
    "#);
}

#[test]
fn objects_that_lack_a_field_are_fetched_by_key() {
    // An order of `User.orders` has no customer: that would lead back to the user.
    assert_snapshot!(plan("{ user(id: 1) { orders { id customer { id } } } }"), @r#"
    1. users:Query.user[0]  GET /users
       gives user(id: "1") { id }
    2. orders:User[0]  GET /orders/by-user?first=10
       batches of up to 1000 over user(id: "1") by id
       gives orders { id }
       after 1
    3. orders:Order[0]  GET /orders
       batches of up to 1000 over user(id: "1").orders by id
       gives customer { id }
       after 2
    "#);
}

#[test]
fn conditions_are_a_part_of_the_fetches_they_decide() {
    assert_snapshot!(plan("query($a: Boolean!, $b: Boolean!) { order(id: 1) { id customer @include(if: $a) { name } items @skip(if: $b) { product { name } } } }"), @r#"
    1. orders:Query.order[0]  GET /orders
       gives order(id: "1") { id customer { id } items { product { id } } }
    2. users:User[0]  GET /users
       batches of up to 1000 over order(id: "1").customer by id
       gives name
       if $a
       after 1
    3. products:Product[0]  GET /products
       batches of up to 1000 over order(id: "1").items.product by id
       gives name
       if not $b
       after 1
    "#);
}

#[test]
fn root_fields_of_a_mutation_wait_for_each_other() {
    assert_snapshot!(plan("mutation { cancelOrder(id: 1) { customer { name } } advanceOrder(id: 2) { id } }"), @r#"
    1. orders:Mutation.cancelOrder[0]  POST /orders/{$args.id}/cancel
       gives cancelOrder(id: "1") { customer { id } }
    2. users:User[0]  GET /users
       batches of up to 1000 over cancelOrder(id: "1").customer by id
       gives name
       after 1
    3. orders:Mutation.advanceOrder[0]  POST /orders/{$args.id}/advance
       gives advanceOrder(id: "2") { id }
       after everything of root field 1
    "#);
}

#[test]
fn introspection_takes_no_fetch() {
    assert_snapshot!(plan("{ __typename __schema { queryType { name } } }"), @r"
    no source is asked
    ");
}
