//! Builds the HTTP request of a connector from its variables.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use schema::connector::{Connector, HeaderValue as HeaderSource, Method as ConnectorMethod};
use schema::json::{Object, Value};
use schema::mapping::Vars;
use schema::operation::{Argument, Variables};
use schema::template::form;
use schema::types::{Constant, Name};
use url::Url;

use super::body::media_type;
use super::call_gate::{CallGate, SendClock};
use super::connector::ConnectorClient;
use crate::error::FetchError;
use crate::memory::MemoryMeter;

/// An HTTP request, ready to send.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    /// Whether sending it twice has the effect of sending it once.
    pub(crate) is_idempotent: bool,
    /// The memory that its response is charged to while it arrives.
    pub(crate) memory: Option<MemoryMeter>,
    /// The gate of its source.
    pub(crate) gate: Option<Arc<CallGate>>,
    /// The clock of the operations that wait for it.
    pub(crate) clock: Option<Arc<SendClock>>,
}

/// Builds the request of a connector.
pub(crate) fn build<'a>(
    connector: &'a Connector,
    connector_client: &'a ConnectorClient,
    client_headers: &HeaderMap,
    vars: &Vars<'a>,
) -> Result<Request, FetchError> {
    let address = connector.url_template(connector_client.base_url.as_ref());
    let joined = address
        .join(vars)
        .map_err(|error| FetchError::Build(error.to_string()))?;
    let mut headers = HeaderMap::with_capacity(4 + connector.headers.len());
    for header in &connector.headers {
        write_header(header, client_headers, vars, &mut headers)?;
    }
    for (name, value) in &connector_client.headers {
        headers.insert(name.clone(), value.clone());
    }
    if !headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    let body = match &connector.body {
        Some(mapping) => Some(build_body(mapping, vars, &mut headers)?),
        None => None,
    };
    Ok(Request {
        method: http_method(connector.method),
        url: joined.url,
        headers,
        body,
        // RFC 9110 §9.2.2.
        is_idempotent: !matches!(
            connector.method,
            ConnectorMethod::Post | ConnectorMethod::Patch
        ),
        memory: None,
        gate: Some(Arc::clone(&connector_client.gate)),
        clock: None,
    })
}

fn http_method(method: ConnectorMethod) -> Method {
    match method {
        ConnectorMethod::Get => Method::GET,
        ConnectorMethod::Post => Method::POST,
        ConnectorMethod::Put => Method::PUT,
        ConnectorMethod::Patch => Method::PATCH,
        ConnectorMethod::Delete => Method::DELETE,
    }
}

fn write_header<'a>(
    header: &'a schema::connector::Header,
    client_headers: &HeaderMap,
    vars: &Vars<'a>,
    headers: &mut HeaderMap,
) -> Result<(), FetchError> {
    let Ok(name) = HeaderName::from_bytes(header.name.as_bytes()) else {
        return Ok(()); // Linking rejects such names.
    };
    match &header.value {
        HeaderSource::FromRequest(from) => {
            for value in client_headers.get_all(from.as_ref()) {
                headers.append(name.clone(), value.clone());
            }
        }
        HeaderSource::Template(template) => {
            let rendered = template
                .render_plain(vars)
                .map_err(|error| FetchError::Build(error.to_string()))?;
            // An empty value omits the header.
            if !rendered.text.is_empty() {
                let value = HeaderValue::from_str(&rendered.text).map_err(|_| {
                    let message =
                        format!("the value of the header `{name}` has a control character");
                    FetchError::Build(message)
                })?;
                headers.insert(name, value);
            }
        }
    }
    Ok(())
}

/// Media type of form bodies.
const FORM: &str = "application/x-www-form-urlencoded";

fn build_body<'a>(
    mapping: &'a schema::mapping::Mapping,
    vars: &Vars<'a>,
    headers: &mut HeaderMap,
) -> Result<Bytes, FetchError> {
    let empty = Value::object(Object::with_capacity(0));
    let value = mapping.eval(empty, vars).value;
    let content_type = headers.get(CONTENT_TYPE);
    let media_type = content_type.and_then(|value| Some(media_type(value.to_str().ok()?)));
    if media_type.is_some_and(|media_type| media_type == FORM) {
        let value = value.unwrap_or(Value::Null);
        let form = form::encode(&value).map_err(|error| FetchError::Build(error.to_string()))?;
        return Ok(Bytes::from(form));
    }
    if content_type.is_none() {
        let json = HeaderValue::from_static("application/json");
        headers.insert(CONTENT_TYPE, json);
    }
    let mut text = Vec::new();
    if let Some(value) = value {
        value.write_json(&mut text);
    }
    Ok(Bytes::from(text))
}

/// Headers as `$request` and `$response` contain them: `{ headers: { name: [values] } }`.
pub(crate) fn headers_value<'a>(headers: &HeaderMap) -> Value<'a> {
    let mut members = Object::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let values: Vec<Value<'a>> = headers
            .get_all(name)
            .iter()
            .map(|value| Value::string(String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        members.insert(name.as_str().to_owned(), Value::list(values));
    }
    let mut whole = Object::with_capacity(1);
    whole.insert("headers", Value::object(members));
    Value::object(whole)
}

/// The arguments of a field as one JSON object, without those that have no value.
pub(crate) fn arguments_json(arguments: &[(Name, Argument)], variables: &Variables) -> String {
    let mut object = Object::with_capacity(arguments.len());
    for (name, argument) in arguments {
        if let Some(value) = variables.argument(argument) {
            object.insert(name.as_ref(), mapping_value(&value).to_owned_value());
        }
    }
    Value::object(object).to_json()
}

/// A coerced input value as a value for mappings.
pub(crate) fn mapping_value(constant: &Constant) -> Value<'_> {
    match constant {
        Constant::Null => Value::Null,
        Constant::Boolean(value) => Value::Bool(*value),
        Constant::Number(text) => Value::Number(text.as_str().into()),
        Constant::String(text) => Value::string(text.as_str()),
        Constant::List(items) => Value::list(items.iter().map(mapping_value).collect::<Vec<_>>()),
        Constant::Object(members) => {
            let mut object = Object::with_capacity(members.len());
            for (name, value) in members {
                object.insert(name.as_ref(), mapping_value(value));
            }
            Value::object(object)
        }
    }
}
