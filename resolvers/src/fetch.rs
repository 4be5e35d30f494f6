//! One call to a source: from variables to a request, from an answer to a body and its meaning.
//!
//! Building and judging are pure; `http` is the only part that waits.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use schema::connector::{Connector, Gives, Phase};
use schema::graph::Graph;
use schema::json::{Json, Object, Value};
use schema::key::FieldSet;
use schema::mapping::Vars;
use schema::source::{Access, Source, SourceId};

use self::http::Client;
use self::ready::Ready;
use self::request::Request;
use self::service::Service;
use crate::error::FetchError;
use crate::settings::Settings;

pub(crate) mod graphql;
pub(crate) mod http;
pub(crate) mod mapped;
pub(crate) mod ready;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod service;

/// A source with what the operator decided about it.
#[derive(Debug)]
pub(crate) enum Reach {
    Connector(Box<Ready>),
    Service(Service),
}

impl Reach {
    pub(crate) fn new(source: &Source, settings: &Settings) -> Self {
        match &source.access {
            Access::Connector(connector) => {
                Self::Connector(Box::new(Ready::new(source, connector, settings)))
            }
            Access::Graphql(graphql) => Self::Service(Service::new(source, graphql, settings)),
        }
    }
}

/// Everything that can be asked, and with what.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) graph: Arc<Graph>,
    /// By source.
    pub(crate) reach: Vec<Reach>,
    pub(crate) client: Client,
    /// Bytes of a URL.
    pub(crate) url_limit: usize,
}

impl Sources {
    /// The sources of `graph`.
    pub(crate) fn new(graph: Arc<Graph>, settings: &Settings) -> Result<Self, reqwest::Error> {
        let client = Client::new(settings.limits.source_body)?;
        let sources = graph.sources();
        let reach = sources.map(|(_, source)| Reach::new(source, settings));
        Ok(Self {
            reach: reach.collect(),
            graph,
            client,
            url_limit: settings.limits.source_url,
        })
    }

    /// A connector and what was decided about it; `None` for services.
    pub(crate) fn connector(&self, source: SourceId) -> Option<(&Connector, &Ready)> {
        match (
            &self.graph.source(source).access,
            &self.reach[source.index()],
        ) {
            (Access::Connector(connector), Reach::Connector(ready)) => Some((connector, ready)),
            _ => None,
        }
    }

    /// The request of a connector for a batch, which `batch` writes as `$batch` from the key.
    pub(crate) fn batch_request(
        &self,
        source: SourceId,
        client: &HeaderMap,
        batch: impl FnOnce(&FieldSet) -> Vec<u8>,
    ) -> Result<Request, FetchError> {
        let Some((connector, ready)) = self.connector(source) else {
            return Err(FetchError::Build("there is no connector".to_owned()));
        };
        let Gives::Batch { key, .. } = &connector.gives else {
            return Err(FetchError::Build("it takes no batch".to_owned()));
        };
        let batch = Json::parse(Bytes::from(batch(key)));
        let batch = batch.map_err(|error| FetchError::Build(error.to_string()))?;
        let mut vars = Vars::new();
        vars.set("batch", Value::Node(batch.root()));
        vars.set("config", Value::Node(ready.config.root()));
        vars.set("env", Value::Node(ready.environment.root()));
        vars.set("context", Value::object(Object::with_capacity(0)));
        if ready.uses(Phase::Request, "request") {
            vars.set("request", request::headers_value(client));
        }
        request::build(connector, ready, client, &vars)
    }
}

/// What a source answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When it was there.
    pub(crate) received: SystemTime,
    /// How long it took.
    pub(crate) delay: Duration,
}

impl Answer {
    /// An answer that took no call.
    pub(crate) fn here(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
            received: SystemTime::now(),
            delay: Duration::ZERO,
        }
    }
}

/// What an answer's body is (connect specification, §5.1).
#[derive(Debug)]
pub(crate) enum Body {
    Json(Arc<Json>),
    Text(String),
    /// Empty, or of a type that is not read.
    Nothing,
}

impl Body {
    /// Reads the body by its content type.
    pub(crate) fn read(answer: &Answer) -> Result<Self, FetchError> {
        if answer.body.is_empty() {
            return Ok(Self::Nothing);
        }
        let content_type = answer.headers.get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok());
        match content_type.map_or(Media::Json, Media::of) {
            Media::Json => match Json::parse(answer.body.clone()) {
                Ok(json) => Ok(Self::Json(Arc::new(json))),
                Err(error) => Err(FetchError::NotJson {
                    status: answer.status,
                    reason: error.to_string(),
                }),
            },
            Media::Text => match String::from_utf8(answer.body.to_vec()) {
                Ok(text) => Ok(Self::Text(text)),
                Err(error) => Err(FetchError::NotJson {
                    status: answer.status,
                    reason: error.to_string(),
                }),
            },
            Media::Other => Ok(Self::Nothing),
        }
    }

    /// The body as mappings see it.
    pub(crate) fn value(&self) -> Value<'_> {
        match self {
            Self::Json(json) => Value::Node(json.root()),
            Self::Text(text) => Value::string(text.as_str()),
            Self::Nothing => Value::Null,
        }
    }
}

enum Media {
    Json,
    Text,
    Other,
}

impl Media {
    fn of(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let essence = essence.to_ascii_lowercase();
        match essence.split_once('/') {
            Some(("text", "plain")) => Self::Text,
            Some((_, subtype)) if subtype == "json" || subtype.ends_with("+json") => Self::Json,
            // A content type that cannot be read counts as none.
            None => Self::Json,
            Some(_) => Self::Other,
        }
    }
}

/// Whether an answer is a success; the error when it is not (connect specification, §5.2, §5.3).
pub(crate) fn judge<'a>(
    connector: &'a Connector,
    answer: &Answer,
    body: &Value<'a>,
    vars: &Vars<'a>,
) -> Result<(), FetchError> {
    let success = match &connector.is_success {
        Some(mapping) => matches!(
            mapping.eval(body.clone(), vars).value,
            Some(value) if value.to_json() == "true"
        ),
        None => answer.status.is_success(),
    };
    if success {
        return Ok(());
    }
    let message = connector.error_message.as_deref().and_then(|mapping| {
        let value = mapping.eval(body.clone(), vars).value?;
        match value.view() {
            schema::json::View::String(text) => Some(text.into_owned()),
            _ => None,
        }
    });
    Err(FetchError::Refused {
        status: answer.status,
        message: message.filter(|message| !message.is_empty()),
        extensions: extensions(connector, body, vars),
    })
}

/// The members of every `errors.extensions` as one JSON object, later ones winning.
fn extensions<'a>(connector: &'a Connector, body: &Value<'a>, vars: &Vars<'a>) -> Option<String> {
    let mut members = Object::with_capacity(4);
    for mapping in &connector.error_extensions {
        let value = mapping.eval(body.clone(), vars).value?;
        if let schema::json::View::Object(fields) = value.view() {
            for (key, value) in fields.iter() {
                members.insert(key.into_owned(), value.to_owned_value());
            }
        }
    }
    (!members.is_empty()).then(|| Value::object(members).to_json())
}

/// What mappings may know of the answer: `$status` and `$response`.
pub(crate) fn answer_vars(ready: &Ready, answer: &Answer, vars: &mut Vars<'_>) {
    if ready.uses(Phase::Answer, "status") {
        vars.set("status", Value::int(i64::from(answer.status.as_u16())));
    }
    if ready.uses(Phase::Answer, "response") {
        vars.set("response", request::headers_value(&answer.headers));
    }
}

/// What failed, for everybody who waited for it.
pub(crate) fn failure(ready: &Ready, error: FetchError) -> Arc<crate::error::FetchFailure> {
    Arc::new(crate::error::FetchFailure {
        service: Arc::clone(&ready.service),
        coordinate: Arc::clone(&ready.coordinate),
        error,
    })
}
