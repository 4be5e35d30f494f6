//! HTTP: the REST service of connectors, and subgraphs that are called over HTTP.

use std::sync::Arc;

use apollo_compiler::response::{JsonMap, JsonValue};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use crate::data::{Data, Thing, Value};
use crate::fault::{self, Down, Lost};
use crate::service::Service;

/// The services that are called over HTTP.
type Services = Arc<[Arc<Service>]>;

/// Serves them for as long as the runtime lives; returns the address.
#[expect(
    clippy::disallowed_methods,
    reason = "the server ends with the test's runtime"
)]
pub(crate) async fn serve(services: Vec<Arc<Service>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new()
        .fallback(respond)
        .with_state(Services::from(services));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

async fn respond(State(services): State<Services>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let name = path.split('/').next().unwrap_or_default();
    let Some(service) = services.iter().find(|service| *service.name == *name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = to_bytes(request.into_body(), usize::MAX).await.unwrap();
    let is_rest = service.is_rest();
    let down = service.data.faults().service(name);
    if is_rest || down.is_some() {
        service.note(&format!("{path}?{query}"));
    }
    let response = match down {
        Some(down) => unavailable(down),
        None if is_rest => rest(service, &path, &query),
        None => json(StatusCode::OK, service.respond_http(&body)),
    };
    service.arrivals.turn(name).await;
    response
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, body).into_response()
}

/// The response of a service that is down.
fn unavailable(down: Down) -> Response {
    let status = match down {
        Down::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Down::NoData => StatusCode::INTERNAL_SERVER_ERROR,
        Down::NotJson => StatusCode::OK,
        Down::Gone => StatusCode::BAD_GATEWAY,
    };
    json(status, Service::down(down))
}

/// `/rest/Query/field`, `/rest/Type/id`, or `/rest/Type?id=…&id=…`.
fn rest(service: &Service, path: &str, query: &str) -> Response {
    let data = &service.data;
    let found = match path.split('/').collect::<Vec<_>>()[..] {
        [_, "Query", field] => Ok(root(data, field)),
        [_, ty, id] => one(service, ty, id),
        [_, ty] => {
            let ids = query.split('&').filter_map(|it| it.strip_prefix("id="));
            let found = ids.filter_map(|id| one(service, ty, id).ok());
            Ok(JsonValue::Array(found.collect()))
        }
        _ => Err(StatusCode::NOT_FOUND),
    };
    match found {
        Ok(value) => json(StatusCode::OK, serde_json::to_vec(&value).unwrap()),
        Err(status) => status.into_response(),
    }
}

/// The objects of a root field.
fn root(data: &Data, field: &str) -> JsonValue {
    let query = Thing {
        ty: "Query".into(),
        seed: 0,
    };
    let value = data.of(&query, field, &JsonMap::new());
    value_of(data, (&query, field), value)
}

/// One entity, unless it is lost.
fn one(service: &Service, ty: &str, id: &str) -> Result<JsonValue, StatusCode> {
    let data = &service.data;
    let is_id = |thing: &Thing| {
        let known = data.of(thing, "id", &JsonMap::new());
        matches!(known, Value::Leaf(known) if known.as_str() == Some(id))
    };
    let thing = data.entities(ty).into_iter().find(is_id);
    let Some(thing) = thing else {
        service.reject(&format!("{ty} {id} is no entity"));
        return Err(StatusCode::NOT_FOUND);
    };
    match data.faults().entity(&service.name, &thing) {
        Some(Lost::Missing) => Err(StatusCode::NOT_FOUND),
        Some(Lost::Throws) => Err(StatusCode::INTERNAL_SERVER_ERROR),
        None => Ok(object(data, &thing)),
    }
}

fn object(data: &Data, thing: &Thing) -> JsonValue {
    let mut object = JsonMap::new();
    let home = data.model.home(&thing.ty, "rest");
    for field in home.into_iter().flat_map(|home| home.fields.keys()) {
        let value = data.of(thing, field, &JsonMap::new());
        object.insert(&**field, value_of(data, (thing, field), value));
    }
    object.into()
}

/// REST has no errors of fields: a field that throws has a value of another type.
fn value_of(data: &Data, of: (&Thing, &str), value: Value) -> JsonValue {
    match value {
        Value::Null => JsonValue::Null,
        Value::Throws => {
            let field = data.field(of.0, of.1);
            field.map_or(JsonValue::Null, |it| fault::wrong_value(&data.model, it, 0))
        }
        Value::Wrong(leaf) | Value::Leaf(leaf) => leaf,
        Value::Thing(thing) => object(data, &thing),
        Value::List(items) => {
            let items = items.into_iter().map(|item| match item {
                Value::Throws => {
                    let field = data.field(of.0, of.1);
                    field.map_or(JsonValue::Null, |it| fault::wrong_value(&data.model, it, 1))
                }
                item => value_of(data, of, item),
            });
            JsonValue::Array(items.collect())
        }
    }
}
