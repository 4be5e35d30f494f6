//! The OpenAPI files match the services: their routes, parameters, and responses.

use std::collections::BTreeSet;

use mocks::{Service, Shop};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Reply, get, patch, request, send, with_json};

#[tokio::test]
async fn the_documented_routes_are_those_of_the_service() {
    let shop = Shop::start().await.unwrap();
    for service in [&shop.users, &shop.products, &shop.orders] {
        let contract = contract(service).await;
        assert_eq!(contract["openapi"], "3.1.0");
        let mut documented = BTreeSet::new();
        for (path, operations) in contract["paths"].as_object().unwrap() {
            for method in operations.as_object().unwrap().keys() {
                documented.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let routed: BTreeSet<_> = service.routes().map(str::to_owned).collect();
        assert_eq!(documented, routed);
    }
    shop.stop().await;
}

#[tokio::test]
async fn all_references_resolve_and_all_components_are_used() {
    let shop = Shop::start().await.unwrap();
    for service in [&shop.users, &shop.products, &shop.orders] {
        let contract = contract(service).await;
        let mut references = BTreeSet::new();
        collect_references(&contract, &mut references);
        assert!(references.len() > 10);
        for reference in &references {
            let pointer = reference.trim_start_matches('#');
            assert!(contract.pointer(pointer).is_some(), "{reference}");
        }
        for (kind, components) in contract["components"].as_object().unwrap() {
            for name in components.as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                assert!(references.contains(&reference), "{reference} is unused");
            }
        }
    }
    shop.stop().await;
}

#[tokio::test]
async fn responses_match_the_contract() {
    let shop = Shop::start().await.unwrap();
    let dollars = json!({ "price": { "amount": 1, "currency": "USD" } });
    patch(&shop.products, "/products/9", &dollars)
        .await
        .expect(200);
    for (service, samples) in [
        (&shop.users, user_samples()),
        (&shop.products, product_samples()),
        (&shop.orders, order_samples()),
    ] {
        let contract = contract(service).await;
        let mut succeeded = BTreeSet::new();
        for (route, path, body, status) in samples {
            let method = route.split(' ').next().unwrap();
            let mut call = request(service, method.parse::<Method>().unwrap(), path);
            if !body.is_null() {
                call = with_json(call, &body);
            }
            let reply = send(call).await;
            assert_eq!(reply.status, status, "{method} {path}: {:?}", reply.body);
            check(&contract, route, &reply);
            if status < 300 {
                succeeded.insert(route);
            }
        }
        let routed: BTreeSet<_> = service.routes().collect();
        assert_eq!(succeeded, routed, "each route has a sample");
    }
    shop.stop().await;
}

#[tokio::test]
async fn the_documented_parameters_are_those_that_are_accepted() {
    let shop = Shop::start().await.unwrap();
    let values = [
        ("ids", "1"),
        ("limit", "1"),
        ("kind", "customer"),
        ("category", "HOME"),
        ("merchantId", "1"),
        ("q", "x"),
        ("status", "PAID"),
        ("userId", "60"),
        ("userIds", "60"),
        ("merchantIds", "1"),
        ("first", "1"),
        ("after", "7"),
    ];
    for service in [&shop.users, &shop.products, &shop.orders] {
        let contract = contract(service).await;
        for (path, operations) in contract["paths"].as_object().unwrap() {
            let Some(operation) = operations.get("get") else {
                continue;
            };
            let parameters = operation["parameters"].as_array().unwrap();
            let parameters: Vec<_> = parameters
                .iter()
                .map(|parameter| resolve(&contract, parameter))
                .collect();
            let required = parameters
                .iter()
                .find(|parameter| parameter["in"] == "query" && parameter["required"] == true);
            let start = match required.map(|parameter| parameter["name"].as_str().unwrap()) {
                Some(name) => format!("{}?{name}=1&", path.replace("{id}", "1")),
                None => format!("{}?", path.replace("{id}", "1")),
            };
            for (name, value) in values {
                if start.contains(&format!("?{name}=")) {
                    continue;
                }
                let documented = parameters.iter().any(|parameter| parameter["name"] == name);
                let status = get(service, &format!("{start}{name}={value}")).await.status;
                assert_eq!(
                    status == 200,
                    documented,
                    "{path}: {name} returned {status}"
                );
            }
        }
    }
    shop.stop().await;
}

/// Route, path, body, status.
type Sample = (&'static str, &'static str, Value, u16);

fn user_samples() -> Vec<Sample> {
    let user = json!({
        "name": "Ada Berg", "email": "ada.new@example.com", "kind": "merchant",
        "address": {
            "street": "Gartenweg 1", "city": "Graz", "postalCode": "8010", "country": "AT",
        },
        "merchant": { "displayName": "Ada" },
    });
    vec![
        ("GET /users", "/users?limit=500", Value::Null, 200),
        ("GET /users", "/users?ids=1,51", Value::Null, 200),
        ("GET /users", "/users?limit=501", Value::Null, 400),
        ("GET /users/{id}", "/users/1", Value::Null, 200),
        ("GET /users/{id}", "/users/51", Value::Null, 200),
        ("GET /users/{id}", "/users/1001", Value::Null, 404),
        ("POST /users", "/users", user.clone(), 201),
        ("POST /users", "/users", user, 409),
        ("POST /users", "/users", json!({}), 422),
        (
            "PATCH /users/{id}",
            "/users/1",
            json!({ "name": "New" }),
            200,
        ),
        ("PATCH /users/{id}", "/users/1", json!({ "id": "2" }), 422),
    ]
}

fn product_samples() -> Vec<Sample> {
    let items = |quantity: u32| json!([{ "productId": "1", "quantity": quantity }]);
    vec![
        ("GET /products", "/products?limit=500", Value::Null, 200),
        (
            "GET /products/by-merchant",
            "/products/by-merchant?merchantIds=1,2",
            Value::Null,
            200,
        ),
        ("GET /products/{id}", "/products/1", Value::Null, 200),
        (
            "PATCH /products/{id}",
            "/products/1",
            json!({ "stock": 3 }),
            200,
        ),
        (
            "PATCH /products/{id}",
            "/products/1",
            json!({ "merchantId": "1" }),
            403,
        ),
        (
            "POST /reservations",
            "/reservations",
            json!({ "id": "a", "items": items(1) }),
            201,
        ),
        (
            "POST /reservations",
            "/reservations",
            json!({ "items": items(9) }),
            409,
        ),
        (
            "POST /reservations",
            "/reservations",
            json!({ "items": [] }),
            422,
        ),
        (
            "DELETE /reservations/{id}",
            "/reservations/a",
            Value::Null,
            204,
        ),
        (
            "DELETE /reservations/{id}",
            "/reservations/a",
            Value::Null,
            404,
        ),
    ]
}

fn order_samples() -> Vec<Sample> {
    let order = |items: Value| json!({ "userId": "60", "items": items });
    let one = |id: &str, quantity: u32| json!({ "productId": id, "quantity": quantity });
    vec![
        ("GET /orders", "/orders?limit=500", Value::Null, 200),
        (
            "GET /orders/by-user",
            "/orders/by-user?userIds=60,1",
            Value::Null,
            200,
        ),
        (
            "GET /orders/by-merchant",
            "/orders/by-merchant?merchantIds=1",
            Value::Null,
            200,
        ),
        ("GET /orders/{id}", "/orders/1", Value::Null, 200),
        ("POST /orders", "/orders", order(json!([one("2", 1)])), 201),
        (
            "POST /orders",
            "/orders",
            order(json!([one("2", 1_000)])),
            409,
        ),
        (
            "POST /orders",
            "/orders",
            order(json!([one("2", 1), one("2000", 1)])),
            422,
        ),
        (
            "POST /orders",
            "/orders",
            order(json!([one("2", 1), one("9", 1)])),
            422,
        ),
        (
            "POST /orders/{id}/advance",
            "/orders/5001/advance",
            Value::Null,
            200,
        ),
        (
            "POST /orders/{id}/cancel",
            "/orders/5001/cancel",
            Value::Null,
            200,
        ),
        (
            "POST /orders/{id}/cancel",
            "/orders/5001/cancel",
            Value::Null,
            409,
        ),
    ]
}

async fn contract(service: &Service) -> Value {
    let reply = get(service, "/openapi.yaml").await;
    assert_eq!(reply.header("content-type"), "application/yaml");
    serde_saphyr::from_str(std::str::from_utf8(&reply.body).unwrap()).unwrap()
}

/// Checks a response against the contract of its route and status.
#[track_caller]
fn check(contract: &Value, route: &str, reply: &Reply) {
    let (method, path) = route.split_once(' ').unwrap();
    let responses = &contract["paths"][path][method.to_lowercase()]["responses"];
    let response = &responses[reply.status.to_string()];
    assert!(
        response.is_object(),
        "{route}: {} is not documented",
        reply.status
    );
    let response = resolve(contract, response);
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let schema = &resolve(contract, header)["schema"];
        let optional = name == "Idempotency-Replayed";
        let value = reply.header(name);
        assert!(optional || !value.is_empty(), "{route}: no {name}");
        let constant = schema.get("const").map(std::slice::from_ref);
        let allowed = constant.or_else(|| schema["enum"].as_array().map(Vec::as_slice));
        if !optional && let Some(allowed) = allowed {
            assert!(
                allowed.iter().any(|one| one == value),
                "{route}: {name}: {value}"
            );
        }
    }
    let Some(content) = response["content"].as_object() else {
        assert!(reply.body.is_empty(), "{route}");
        return;
    };
    let schema = &content[reply.header("content-type")]["schema"];
    validate(contract, schema, &reply.json(), route);
}

/// Validates by the subset of JSON Schema that the contracts use; an unknown keyword fails, so that
/// none is ignored.
#[track_caller]
fn validate(contract: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolve(contract, schema);
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "type" => {
                let types = rule
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![rule.clone()]);
                assert!(
                    types.iter().any(|name| is_a(value, name)),
                    "{at}: {value} is no {rule}"
                );
            }
            "enum" => assert!(rule.as_array().unwrap().contains(value), "{at}: {value}"),
            "oneOf" => {
                let null = value.is_null();
                let variants = rule.as_array().unwrap().iter();
                let mut variants = variants.filter(|variant| (variant["type"] == "null") == null);
                validate(contract, variants.next().unwrap(), value, at);
                assert!(variants.next().is_none());
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    assert!(
                        value.get(name.as_str().unwrap()).is_some(),
                        "{at}: no {name}"
                    );
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        validate(contract, schema, value, &format!("{at}.{name}"));
                    }
                }
            }
            "additionalProperties" => {
                for name in value.as_object().unwrap().keys() {
                    assert!(
                        schema["properties"].get(name).is_some(),
                        "{at}: {name} is extra"
                    );
                }
            }
            "items" => {
                for (index, value) in value.as_array().unwrap().iter().enumerate() {
                    validate(contract, rule, value, &format!("{at}[{index}]"));
                }
            }
            "minimum" => assert!(value.as_f64() >= rule.as_f64(), "{at}: {value}"),
            "maximum" => assert!(value.as_f64() <= rule.as_f64(), "{at}: {value}"),
            "pattern" => assert!(
                matches(rule.as_str().unwrap(), value.as_str().unwrap()),
                "{at}: {value}"
            ),
            "format" => assert!(has_format(rule, value.as_str().unwrap()), "{at}: {value}"),
            "description" | "examples" => {}
            other => panic!("{at}: unsupported keyword `{other}`"),
        }
    }
}

fn is_a(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    }
}

/// Matches the two patterns of the contracts.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[1-9][0-9]{0,8}$" => {
            text.len() <= 9
                && !text.starts_with('0')
                && !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_digit())
        }
        "^[A-Z]{2}$" => text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
        other => panic!("unknown pattern {other}"),
    }
}

fn has_format(format: &Value, text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    match format.as_str().unwrap() {
        "date-time" => shape == "9999-99-99T99:99:99Z",
        "date" => shape == "9999-99-99",
        other => panic!("unknown format {other}"),
    }
}

fn resolve<'c>(contract: &'c Value, value: &'c Value) -> &'c Value {
    match value["$ref"].as_str() {
        Some(reference) => contract.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "$ref" {
                    references.insert(member.as_str().unwrap().to_owned());
                }
                collect_references(member, references);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, references)),
        _ => {}
    }
}
