//! Checks that all gateways return equal responses, without which their figures are not comparable.

use std::borrow::Borrow;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use crate::client::{ClientError, Connection, ResponseDigest};
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::load::{Exchange, Load};
use crate::query::Query;

/// Sends all requests of `query` to each gateway, and returns the load for each. Fails for errors,
/// and for responses that differ.
pub(crate) async fn checked_loads<G: Borrow<Gateway>>(
    query: Query,
    gateways: &[G],
) -> Result<Vec<Load>, Failure> {
    let requests = query.bodies();
    let mut loads = Vec::new();
    let mut reference: Option<(&Gateway, Vec<Bytes>)> = None;
    for gateway in gateways.iter().map(Borrow::borrow) {
        let responses = responses(query, gateway, &requests).await?;
        loads.push(Load {
            exchanges: exchanges(&requests, &responses),
            connections: query.connections(),
        });
        match &reference {
            None => reference = Some((gateway, responses)),
            Some((first, expected)) => {
                for (expected, actual) in expected.iter().zip(&responses) {
                    let expected = NamedResponse::new(first, expected);
                    compare(query, &expected, &NamedResponse::new(gateway, actual))?;
                }
            }
        }
    }
    Ok(loads)
}

fn exchanges(requests: &[Bytes], responses: &[Bytes]) -> Arc<[Exchange]> {
    let pairs = requests.iter().cloned().zip(responses);
    pairs
        .map(|(request, response)| Exchange {
            request,
            response: ResponseDigest::new(response),
        })
        .collect()
}

async fn responses(
    query: Query,
    gateway: &Gateway,
    requests: &[Bytes],
) -> Result<Vec<Bytes>, Failure> {
    let failed = |error: ClientError| Failure::Request {
        name: gateway.name,
        error: Box::new(error),
    };
    let mut connection = Connection::open(gateway.address).await.map_err(failed)?;
    let mut responses = Vec::with_capacity(requests.len());
    for request in requests {
        let response = connection
            .send_query(request.clone())
            .await
            .map_err(failed)?;
        check_success(query, gateway, &response)?;
        responses.push(response);
    }
    Ok(responses)
}

fn check_success(query: Query, gateway: &Gateway, response: &Bytes) -> Result<(), Failure> {
    let value = parse_response(response);
    if value.get("errors").is_none() && value.get("data").is_some_and(Value::is_object) {
        return Ok(());
    }
    let name = gateway.name;
    let text = String::from_utf8_lossy(response);
    let text: String = text.chars().take(MAX_EXCERPT_CHARS).collect();
    Err(Failure::Answer {
        query,
        problem: format!("{name} returned {text}"),
    })
}

/// A parsed response, with the name of the gateway that sent it.
struct NamedResponse {
    gateway: &'static str,
    value: Value,
}

impl NamedResponse {
    fn new(gateway: &Gateway, response: &Bytes) -> Self {
        Self {
            gateway: gateway.name,
            value: parse_response(response),
        }
    }
}

fn compare(query: Query, expected: &NamedResponse, actual: &NamedResponse) -> Result<(), Failure> {
    let Some(difference) = difference(&expected.value, &actual.value) else {
        return Ok(());
    };
    Err(Failure::Answer {
        query,
        problem: format!(
            "{} and {} differ {difference}",
            expected.gateway, actual.gateway
        ),
    })
}

/// The response as JSON; null if it is not JSON, which has neither data nor errors.
fn parse_response(response: &Bytes) -> Value {
    serde_json::from_slice(response).unwrap_or_default()
}

/// The path and the values of the first difference.
fn difference(left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Object(lefts), Value::Object(rights)) => {
            let keys = lefts
                .keys()
                .chain(rights.keys().filter(|key| !lefts.contains_key(*key)));
            keys.into_iter()
                .find_map(|key| difference_at(key, lefts.get(key), rights.get(key)))
        }
        (Value::Array(lefts), Value::Array(rights)) => {
            let longest = lefts.len().max(rights.len());
            (0..longest).find_map(|index| {
                difference_at(&index.to_string(), lefts.get(index), rights.get(index))
            })
        }
        _ if left == right => None,
        _ => Some(format!(": {} and {}", excerpt(left), excerpt(right))),
    }
}

fn difference_at(key: &str, left: Option<&Value>, right: Option<&Value>) -> Option<String> {
    let difference = match (left, right) {
        (Some(left), Some(right)) => difference(left, right)?,
        (Some(left), None) => format!(": {} and nothing", excerpt(left)),
        (None, Some(right)) => format!(": nothing and {}", excerpt(right)),
        (None, None) => return None,
    };
    Some(format!("/{key}{difference}"))
}

fn excerpt(value: &Value) -> String {
    value.to_string().chars().take(MAX_EXCERPT_CHARS).collect()
}

/// Maximum length of a value in a message, in characters.
const MAX_EXCERPT_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let left: Value = serde_json::from_str(r#"{"a":1,"b":[true,null]}"#).unwrap();
        let right: Value = serde_json::from_str(r#"{"b":[true,null],"a":1}"#).unwrap();
        assert_eq!(difference(&left, &right), None);
    }

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let left = json!({ "data": { "orders": [{ "id": "1" }, { "id": "2" }] } });
        for (right, expected) in [
            (
                json!({ "data": { "orders": [{ "id": "1" }, { "id": "3" }] } }),
                r#"/data/orders/1/id: "2" and "3""#,
            ),
            (
                json!({ "data": { "orders": [{ "id": "1" }] } }),
                r#"/data/orders/1: {"id":"2"} and nothing"#,
            ),
            (
                json!({ "data": { "orders": [{ "id": "1" }, { "id": "2", "x": 0 }] } }),
                "/data/orders/1/x: nothing and 0",
            ),
            (
                json!({ "data": null }),
                r#"/data: {"orders":[{"id":"1"},{"id":"2"}]} and null"#,
            ),
        ] {
            assert_eq!(difference(&left, &right).as_deref(), Some(expected));
        }
    }
}
