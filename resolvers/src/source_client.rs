//! Clients of sources: from variables to a request, from a response to a body and its meaning.
//!
//! Building requests and checking responses is pure; `http` and services in this process are the
//! only parts that wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use schema::connector::{Connector, Phase};
use schema::graph::Graph;
use schema::json::{Json, Object, Value};
use schema::mapping::Vars;
use schema::source::{Access, Source, SourceId};
use schema::types::Name;

pub(crate) use self::body::ResponseBody;
use self::call_gate::{CallGate, SourceLoad};
use self::connector::ConnectorClient;
use self::http::HttpClient;
use self::request::Request;
use self::subgraph::SubgraphClient;
use self::variables::Variable;
use crate::error::FetchError;
use crate::settings::Settings;

mod body;
pub(crate) mod call_gate;
pub(crate) mod connector;
mod content_coding;
pub(crate) mod graphql;
pub(crate) mod http;
pub(crate) mod mapped;
pub(crate) mod request;
pub(crate) mod shared_response;
pub(crate) mod subgraph;
pub(crate) mod variables;

/// The client of a source, with the operator's settings.
#[derive(Debug)]
pub(crate) enum SourceClient {
    Connector(Box<ConnectorClient>),
    Subgraph(SubgraphClient),
}

impl SourceClient {
    fn new(source: &Source, graph: &Graph, settings: &Settings) -> Self {
        match &source.access {
            Access::Connector(connector) => {
                let client = ConnectorClient::new(source, connector, graph, settings);
                Self::Connector(Box::new(client))
            }
            Access::Graphql(graphql) => {
                Self::Subgraph(SubgraphClient::new(source, graphql, settings))
            }
        }
    }

    fn gate_mut(&mut self) -> &mut Arc<CallGate> {
        match self {
            Self::Connector(client) => &mut client.gate,
            Self::Subgraph(client) => &mut client.gate,
        }
    }
}

/// All sources of a graph with their clients.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) graph: Arc<Graph>,
    /// By source id.
    pub(crate) clients: Vec<SourceClient>,
    pub(crate) http_client: HttpClient,
    /// The gate of each source, by its name in the configuration.
    gates: BTreeMap<Name, Arc<CallGate>>,
    /// Maximum bytes of a URL.
    pub(crate) url_limit: usize,
    /// Maximum bytes that one operation holds.
    pub(crate) memory_limit: usize,
}

impl Sources {
    /// Creates the clients of the sources of `graph`.
    pub(crate) fn new(graph: Arc<Graph>, settings: &Settings) -> Result<Self, reqwest::Error> {
        let http_client = HttpClient::new(&settings.limits)?;
        let sources = graph.sources();
        let clients = sources.map(|(_, source)| SourceClient::new(source, &graph, settings));
        let mut clients: Vec<SourceClient> = clients.collect();
        let mut gates = BTreeMap::new();
        for client in &mut clients {
            // Connectors of one `@source` call one service.
            let gate = client.gate_mut();
            let known = gates.entry(Name::clone(gate.source()));
            *gate = Arc::clone(known.or_insert_with(|| Arc::clone(gate)));
        }
        Ok(Self {
            clients,
            gates,
            graph,
            http_client,
            url_limit: settings.limits.source_url,
            memory_limit: settings.limits.operation_memory,
        })
    }

    /// The calls to each source at this moment.
    pub(crate) fn load(&self) -> Vec<SourceLoad> {
        self.gates.values().map(|gate| gate.load()).collect()
    }

    /// A connector with its client; `None` for subgraphs.
    pub(crate) fn connector(&self, source: SourceId) -> Option<(&Connector, &ConnectorClient)> {
        match (
            &self.graph.source(source).access,
            &self.clients[source.index()],
        ) {
            (Access::Connector(connector), SourceClient::Connector(connector_client)) => {
                Some((connector, connector_client))
            }
            _ => None,
        }
    }

    /// Builds the request of a batch connector; `batch` is `$batch` as JSON.
    pub(crate) fn batch_request(
        &self,
        source: SourceId,
        client_headers: &HeaderMap,
        batch: Vec<u8>,
    ) -> Result<Request, FetchError> {
        let Some((connector, connector_client)) = self.connector(source) else {
            return Err(FetchError::Build(
                "the source is not a connector".to_owned(),
            ));
        };
        let batch = Json::parse(Bytes::from(batch));
        let batch = batch.map_err(|error| FetchError::Build(error.to_string()))?;
        let mut vars = Vars::new();
        vars.set("batch", Value::Node(batch.root()));
        vars.set("config", Value::Node(connector_client.config.root()));
        vars.set("env", Value::Node(connector_client.environment.root()));
        vars.set("context", Value::object(Object::with_capacity(0)));
        if connector_client.uses(Phase::Request, Variable::Request) {
            vars.set("request", request::headers_value(client_headers));
        }
        // Reports are for the operation that makes a call; it makes its own where they are shown.
        let reports = &mut Vec::new();
        request::build(connector, connector_client, client_headers, &vars, reports)
    }
}

/// A response of a source.
#[derive(Clone, Debug)]
pub(crate) struct SourceResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Time at which it was complete.
    pub(crate) received: SystemTime,
    /// Time from sending the request to the complete response.
    pub(crate) delay: Duration,
}

impl SourceResponse {
    /// A response that took no HTTP call.
    pub(crate) fn with_no_delay(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self {
            status,
            headers,
            body,
            received: SystemTime::now(),
            delay: Duration::ZERO,
        }
    }
}

/// Returns the error of an unsuccessful response (connect specification, §5.2, §5.3).
pub(crate) fn check_success<'a>(
    connector: &'a Connector,
    response: &SourceResponse,
    body: &Value<'a>,
    vars: &Vars<'a>,
) -> Result<(), FetchError> {
    let is_success = match &connector.is_success {
        Some(mapping) => matches!(
            mapping.eval(body.clone(), vars).value,
            Some(value) if value.to_json() == "true"
        ),
        None => response.status.is_success(),
    };
    if is_success {
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
        status: response.status,
        message: message.filter(|message| !message.is_empty()),
        extensions: extensions(connector, body, vars),
    })
}

/// The members of all `errors.extensions` mappings as one JSON object; later ones win.
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

/// Sets the variables for the response, `$status` and `$response`, if mappings use them.
pub(crate) fn set_response_vars(
    connector_client: &ConnectorClient,
    response: &SourceResponse,
    vars: &mut Vars<'_>,
) {
    if connector_client.uses(Phase::Response, Variable::Status) {
        vars.set("status", Value::int(i64::from(response.status.as_u16())));
    }
    if connector_client.uses(Phase::Response, Variable::Response) {
        vars.set("response", request::headers_value(&response.headers));
    }
}

/// The failure of a connector's call.
pub(crate) fn failure(
    connector_client: &ConnectorClient,
    error: FetchError,
) -> Arc<crate::error::FetchFailure> {
    Arc::new(crate::error::FetchFailure {
        subgraph: Arc::clone(&connector_client.subgraph),
        coordinate: Arc::clone(&connector_client.coordinate),
        error,
    })
}
