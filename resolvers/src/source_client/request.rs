//! Builds the HTTP request of a connector from its variables.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use schema::connector::{
    Connector, Header, HeaderValue as HeaderSource, Method as ConnectorMethod,
};
use schema::json::{Object, Value};
use schema::mapping::{Mapping, Report, Vars};
use schema::operation::{Argument, Variables};
use schema::template::form;
use schema::template::url::{UrlMember, UrlOwner, UrlReport};
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

/// A report of a mapping or template of a connector.
#[derive(Clone, Debug)]
pub(crate) struct MappingReport {
    /// The mapping or template as arguments of the directive, such as `http.body`.
    pub(crate) mapping: Cow<'static, str>,
    pub(crate) report: Report,
}

/// What the request of a connector depends on, and the reports of building it.
struct RequestBuilder<'b, 'a> {
    connector: &'a Connector,
    client_headers: &'b HeaderMap,
    vars: &'b Vars<'a>,
    headers: HeaderMap,
    reports: &'b mut Vec<MappingReport>,
}

/// Builds the request of a connector; an error leaves the reports of what was built before it.
pub(crate) fn build<'a>(
    connector: &'a Connector,
    connector_client: &'a ConnectorClient,
    client_headers: &HeaderMap,
    vars: &Vars<'a>,
    reports: &mut Vec<MappingReport>,
) -> Result<Request, FetchError> {
    let mut builder = RequestBuilder {
        connector,
        client_headers,
        vars,
        headers: HeaderMap::with_capacity(4 + connector.headers.len()),
        reports,
    };
    let url = builder.url(connector_client)?;
    for header in &connector.headers {
        builder.write_header(header)?;
    }
    for (name, value) in &connector_client.headers {
        builder.headers.insert(name.clone(), value.clone());
    }
    let headers = &mut builder.headers;
    if !headers.contains_key(ACCEPT) {
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    }
    let body = match &connector.body {
        Some(mapping) => Some(builder.body(mapping)?),
        None => None,
    };
    Ok(Request {
        method: http_method(connector.method),
        url,
        headers: builder.headers,
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

impl<'a> RequestBuilder<'_, 'a> {
    fn url(&mut self, client: &'a ConnectorClient) -> Result<Url, FetchError> {
        let address = self.connector.url_template(client.base_url.as_ref());
        let mut reports = Vec::new();
        let url = address.join_with_reports(self.vars, &mut reports);
        for UrlReport {
            owner,
            member,
            report,
        } in reports
        {
            self.report(url_mapping(self.connector, owner, member), vec![report]);
        }
        url.map_err(|error| FetchError::Build(error.to_string()))
    }

    fn write_header(&mut self, header: &'a Header) -> Result<(), FetchError> {
        let Ok(name) = HeaderName::from_bytes(header.name.as_bytes()) else {
            return Ok(()); // Linking rejects such names.
        };
        match &header.value {
            HeaderSource::FromRequest(from) => {
                for value in self.client_headers.get_all(from.as_ref()) {
                    self.headers.append(name.clone(), value.clone());
                }
            }
            HeaderSource::Template(template) => {
                let rendered = template
                    .render_plain(self.vars)
                    .map_err(|error| FetchError::Build(error.to_string()))?;
                if !rendered.reports.is_empty() {
                    self.report(format!("http.headers.{name}"), rendered.reports);
                }
                // An empty value omits the header.
                if !rendered.text.is_empty() {
                    let value = HeaderValue::from_str(&rendered.text).map_err(|_| {
                        let message =
                            format!("the value of the header `{name}` has a control character");
                        FetchError::Build(message)
                    })?;
                    self.headers.insert(name, value);
                }
            }
        }
        Ok(())
    }

    fn body(&mut self, mapping: &'a Mapping) -> Result<Bytes, FetchError> {
        let empty = Value::object(Object::with_capacity(0));
        let outcome = mapping.eval(empty, self.vars);
        self.report("http.body", outcome.reports);
        let value = outcome.value;
        let content_type = self.headers.get(CONTENT_TYPE);
        let media_type = content_type.and_then(|value| Some(media_type(value.to_str().ok()?)));
        if media_type.is_some_and(|media_type| media_type == FORM) {
            let value = value.unwrap_or(Value::Null);
            let form = form::encode(&value);
            let form = form.map_err(|error| FetchError::Build(error.to_string()))?;
            return Ok(Bytes::from(form));
        }
        if content_type.is_none() {
            let json = HeaderValue::from_static("application/json");
            self.headers.insert(CONTENT_TYPE, json);
        }
        let mut text = Vec::new();
        if let Some(value) = value {
            value.write_json(&mut text);
        }
        Ok(Bytes::from(text))
    }

    fn report(&mut self, mapping: impl Into<Cow<'static, str>>, reports: Vec<Report>) {
        let mapping = mapping.into();
        let reports = reports.into_iter();
        self.reports.extend(reports.map(|report| MappingReport {
            mapping: mapping.clone(),
            report,
        }));
    }
}

/// A part of a URL as arguments of the directives.
fn url_mapping(connector: &Connector, owner: UrlOwner, member: UrlMember) -> &'static str {
    match (owner, member) {
        (UrlOwner::Source, UrlMember::Url) => "source.http.baseURL",
        (UrlOwner::Source, UrlMember::Path) => "source.http.path",
        (UrlOwner::Source, UrlMember::QueryParams) => "source.http.queryParams",
        (UrlOwner::Connect, UrlMember::Path) => "http.path",
        (UrlOwner::Connect, UrlMember::QueryParams) => "http.queryParams",
        (UrlOwner::Connect, UrlMember::Url) => match connector.method {
            ConnectorMethod::Get => "http.GET",
            ConnectorMethod::Post => "http.POST",
            ConnectorMethod::Put => "http.PUT",
            ConnectorMethod::Patch => "http.PATCH",
            ConnectorMethod::Delete => "http.DELETE",
        },
    }
}

/// Media type of form bodies.
const FORM: &str = "application/x-www-form-urlencoded";

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

/// All variables as one JSON object; `None` without any.
pub(crate) fn variables_json(variables: &Variables) -> Option<String> {
    let mut object = Object::default();
    for (name, value) in variables.values() {
        object.insert(name.as_ref(), mapping_value(value).to_owned_value());
    }
    (!variables.values().is_empty()).then(|| Value::object(object).to_json())
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
