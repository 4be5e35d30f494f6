//! The responses: parsed into structs that borrow from the bodies, joined by id, written once.
//!
//! Strings that are only passed on keep their JSON escapes.

use bytes::Bytes;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::upstream::{Upstream, UpstreamError};
use crate::query::Fields;

/// `{"data":{"user":…}}`.
pub(super) async fn user(upstream: &Upstream, id: &str) -> Result<Bytes, UpstreamError> {
    let url = format!("{}/users/{id}", upstream.services.users);
    let body = upstream.get(url).await?;
    let user: User<'_> = serde_json::from_slice(&body)?;
    json_body(
        body.len(),
        &Data {
            data: OneUser { user },
        },
    )
}

/// A page of orders: the newest, or those before another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) first: u32,
    pub(super) after: Option<&'a str>,
    pub(super) fields: Fields,
}

/// `{"data":{"orders":…}}`.
pub(super) async fn orders(upstream: &Upstream, page: Page<'_>) -> Result<Bytes, UpstreamError> {
    let services = &upstream.services;
    let mut url = format!("{}/orders?limit={}", services.orders, page.first);
    if let Some(after) = page.after {
        url.push_str("&after=");
        url.push_str(after);
    }
    let orders = upstream.get(url).await?;
    let orders: List<OrderRow<'_>> = serde_json::from_slice(&orders)?;

    let items = || orders.items.iter().flat_map(|order| &order.items);
    let user_ids = distinct_ids(orders.items.iter().map(|order| order.user_id));
    let product_ids = distinct_ids(items().map(|item| item.product_id));
    let users = format!("{}/users?ids={user_ids}", services.users);
    let products = format!("{}/products?ids={product_ids}", services.products);
    let (users, products) = tokio::try_join!(upstream.get(users), upstream.get(products))?;
    join(page.fields, &orders, &users, &products)
}

fn join(
    fields: Fields,
    orders: &List<OrderRow<'_>>,
    users: &[u8],
    products: &[u8],
) -> Result<Bytes, UpstreamError> {
    let users_of: List<User<'_>> = serde_json::from_slice(users)?;
    let products_of: List<Product<'_>> = serde_json::from_slice(products)?;
    let entities = EntityIndex {
        fields,
        users: by_id(&users_of.items, |user| user.id),
        products: by_id(&products_of.items, |product| product.id),
    };
    let nodes: Option<Vec<_>> = orders.items.iter().map(|row| entities.order(row)).collect();
    let nodes = nodes.ok_or(UpstreamError::Missing)?;
    let data = Orders {
        orders: Connection { nodes },
    };
    json_body(users.len() + products.len(), &Data { data })
}

/// The entities of orders, by id.
struct EntityIndex<'a> {
    fields: Fields,
    users: ById<'a, User<'a>>,
    products: ById<'a, Product<'a>>,
}

type ById<'a, T> = HashMap<&'a str, &'a T, foldhash::fast::RandomState>;

impl<'a> EntityIndex<'a> {
    fn order(&self, row: &'a OrderRow<'a>) -> Option<Order<'a>> {
        let fields = self.fields;
        let user = self.users.get(row.user_id)?;
        Some(Order {
            id: row.id,
            status: fields.has_status().then_some(row.status),
            customer: Customer {
                id: user.id,
                name: fields.has_customer_name().then_some(user.name),
                email: fields.has_customer_email().then_some(user.email),
            },
            items: row
                .items
                .iter()
                .map(|row| self.item(row))
                .collect::<Option<_>>()?,
        })
    }

    fn item(&self, row: &ItemRow<'_>) -> Option<Item<'a>> {
        let fields = self.fields;
        let product = self.products.get(row.product_id)?;
        Some(Item {
            quantity: fields.has_quantity().then_some(row.quantity),
            product: ItemProduct {
                id: product.id,
                name: fields.has_product_name().then_some(product.name),
                price: fields.has_price().then_some(&product.price),
            },
        })
    }
}

fn by_id<'a, T>(rows: &'a [T], id: impl Fn(&'a T) -> &'a str) -> ById<'a, T> {
    rows.iter().map(|row| (id(row), row)).collect()
}

/// The distinct `ids` in their order, separated by commas.
fn distinct_ids<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut seen = HashSet::with_hasher(foldhash::fast::RandomState::default());
    let mut text = String::with_capacity(1024);
    for id in ids.filter(|id| seen.insert(*id)) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(id);
    }
    text
}

fn json_body(expected: usize, answer: &impl Serialize) -> Result<Bytes, UpstreamError> {
    let mut json = Vec::with_capacity(expected);
    serde_json::to_writer(&mut json, answer)?;
    Ok(Bytes::from(json))
}

#[derive(Deserialize)]
struct List<T> {
    items: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderRow<'a> {
    id: &'a str,
    status: &'a str,
    user_id: &'a str,
    #[serde(borrow)]
    items: Vec<ItemRow<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemRow<'a> {
    product_id: &'a str,
    quantity: u32,
}

#[derive(Deserialize, Serialize)]
struct User<'a> {
    id: &'a str,
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    email: &'a RawValue,
}

#[derive(Deserialize)]
struct Product<'a> {
    id: &'a str,
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow)]
    price: Money<'a>,
}

#[derive(Deserialize, Serialize)]
struct Money<'a> {
    amount: u64,
    currency: &'a str,
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}

#[derive(Serialize)]
struct OneUser<'a> {
    user: User<'a>,
}

#[derive(Serialize)]
struct Orders<'a> {
    orders: Connection<'a>,
}

#[derive(Serialize)]
struct Connection<'a> {
    nodes: Vec<Order<'a>>,
}

#[derive(Serialize)]
struct Order<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'a str>,
    customer: Customer<'a>,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Customer<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Item<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    product: ItemProduct<'a>,
}

#[derive(Serialize)]
struct ItemProduct<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<&'a Money<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_joined_with_customers_and_products() {
        let orders: List<OrderRow<'_>> = serde_json::from_str(
            r#"{"items":[{"id":"9","status":"PAID","userId":"7","total":1,"items":[{"productId":"3","quantity":2}]}]}"#,
        )
        .unwrap();
        let users =
            br#"{"items":[{"id":"7","kind":"customer","name":"A \"B\"","email":"a@example.com"}]}"#;
        let products =
            br#"{"items":[{"id":"3","name":"Lamp","price":{"amount":1299,"currency":"EUR"}}]}"#;
        let answer = join(Fields::ALL, &orders, users, products).unwrap();
        assert_eq!(
            std::str::from_utf8(&answer).unwrap(),
            r#"{"data":{"orders":{"nodes":[{"id":"9","status":"PAID","customer":{"id":"7","name":"A \"B\"","email":"a@example.com"},"items":[{"quantity":2,"product":{"id":"3","name":"Lamp","price":{"amount":1299,"currency":"EUR"}}}]}]}}}"#
        );
        let missing = join(Fields::ALL, &orders, br#"{"items":[]}"#, products);
        assert!(matches!(missing, Err(UpstreamError::Missing)));
    }

    #[test]
    fn each_id_is_requested_once() {
        assert_eq!(distinct_ids(["3", "1", "3", "2", "1"].into_iter()), "3,1,2");
    }
}
