//! Tests a single connector without a network: the request it builds, the result it maps.
//!
//! Runs the code that executes operations, with the connector's whole selection instead of an
//! operation's. The caller sets the variables: arguments are not coerced and have no defaults
//! here, and results are not checked against the types of the schema.

use ::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use schema::connector::{Connector, ConnectorOutput};
use schema::graph::Graph;
use schema::json::{Json, Object, Value};
use schema::mapping::{Report, Vars};
use schema::source::{Access, Source};
use schema::types::Name;
use url::Url;

use crate::error::FetchError;
use crate::settings::Settings;
use crate::source_client::connector::ConnectorClient;
use crate::source_client::{self, ResponseBody, SourceResponse, request};

/// A connector under test.
#[derive(Debug)]
pub struct ConnectorTest<'g> {
    source: &'g Source,
    connector: &'g Connector,
    client: ConnectorClient,
}

/// A name does not identify one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// No connector has the name; these are the coordinates of all connectors.
    Unknown(Vec<Name>),
    /// Several connectors have the name; these are their coordinates.
    Ambiguous(Vec<Name>),
}

/// Inputs of a connector.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Variables by name, without the dollar sign. By default `args` and `this` are empty objects,
    /// and `config` and `env` come from the settings.
    pub variables: Vec<(String, Json)>,
    /// Headers of the client, for forwarding and for `$request`.
    pub headers: HeaderMap,
}

/// The request that a connector builds.
#[derive(Debug)]
pub struct BuiltRequest {
    /// Its method.
    pub method: Method,
    /// Its whole URL.
    pub url: Url,
    /// Headers that the connector sets; the HTTP client adds those for framing.
    pub headers: HeaderMap,
    /// `None` if the connector has no `body`.
    pub body: Option<Bytes>,
    /// Reports of the mappings and templates of the request.
    pub reports: Vec<Report>,
}

/// A response of the source, as the input of a test.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status of the response.
    pub status: StatusCode,
    /// All headers of the response.
    pub headers: HeaderMap,
    /// The body as the source sent it.
    pub body: Bytes,
}

/// The result of mapping a response.
#[derive(Debug)]
pub struct MappedResponse {
    /// The result of the selection as JSON; `None` if it has no result.
    pub result: Result<Option<String>, FetchError>,
    /// Reports of the selection.
    pub reports: Vec<Report>,
}

impl<'g> ConnectorTest<'g> {
    /// Finds a connector by its `id` or its coordinate (`users:Query.user[0]`). The subgraph is
    /// optional, and so is the number of the only connector of a field.
    pub fn find(graph: &'g Graph, settings: &Settings, name: &str) -> Result<Self, NotFound> {
        let matches: Vec<(&Source, &Connector)> = connectors(graph)
            .filter(|(source, connector)| is_named(source, connector, name))
            .collect();
        match matches.as_slice() {
            [(source, connector)] => Ok(Self {
                source,
                connector,
                client: ConnectorClient::new(source, connector, graph, settings),
            }),
            [] => Err(NotFound::Unknown(coordinates(graph))),
            several => {
                let names = several.iter().map(|(source, _)| Name::clone(&source.name));
                Err(NotFound::Ambiguous(names.collect()))
            }
        }
    }

    /// The connector's coordinate: `users:Query.user[0]`.
    pub fn coordinate(&self) -> &str {
        &self.source.name
    }

    /// The connector's subgraph.
    pub fn subgraph(&self) -> &str {
        &self.source.subgraph
    }

    /// Builds the request for some inputs.
    pub fn request(&self, inputs: &Inputs) -> Result<BuiltRequest, FetchError> {
        let vars = self.vars(inputs);
        let mut reports = Vec::new();
        let (connector, client) = (self.connector, &self.client);
        let built = request::build(connector, client, &inputs.headers, &vars, &mut reports)?;
        let reports = reports.into_iter();
        Ok(BuiltRequest {
            method: built.method,
            url: built.url,
            headers: built.headers,
            body: built.body,
            reports: reports.map(|report| report.report).collect(),
        })
    }

    /// Maps a response.
    pub fn map(&self, inputs: &Inputs, response: Response) -> MappedResponse {
        let mut reports = Vec::new();
        let result = self.mapped(inputs, response, &mut reports);
        MappedResponse { result, reports }
    }

    fn mapped(
        &self,
        inputs: &Inputs,
        response: Response,
        reports: &mut Vec<Report>,
    ) -> Result<Option<String>, FetchError> {
        let source_response =
            SourceResponse::with_no_delay(response.status, response.headers, response.body);
        let body = ResponseBody::parse(&source_response)?;
        let mut vars = self.vars(inputs);
        source_client::set_response_vars(&self.client, &source_response, &mut vars);
        let connector = self.connector;
        source_client::check_success(connector, &source_response, &body.value(), &vars)?;
        let outcome = connector.selection.eval(body.value(), &vars);
        *reports = outcome.reports;
        let is_list = outcome
            .value
            .as_ref()
            .is_some_and(|value| value.as_list().is_some());
        if matches!(connector.output, ConnectorOutput::Batch { .. }) && !is_list {
            return Err(FetchError::NotAList);
        }
        Ok(outcome.value.map(|value| value.to_json()))
    }

    fn vars<'v>(&'v self, inputs: &'v Inputs) -> Vars<'v> {
        let empty = || Value::object(Object::with_capacity(0));
        let mut vars = Vars::new()
            .with("args", empty())
            .with("this", empty())
            .with("context", empty())
            .with("config", Value::Node(self.client.config.root()))
            .with("env", Value::Node(self.client.environment.root()))
            .with("request", request::headers_value(&inputs.headers));
        for (name, value) in &inputs.variables {
            vars.set(name.as_str(), Value::Node(value.root()));
        }
        vars
    }
}

/// Coordinates of all connectors of a graph, in the order of its subgraphs.
pub fn coordinates(graph: &Graph) -> Vec<Name> {
    connectors(graph)
        .map(|(source, _)| Name::clone(&source.name))
        .collect()
}

fn connectors(graph: &Graph) -> impl Iterator<Item = (&Source, &Connector)> {
    graph
        .sources()
        .filter_map(|(_, source)| match &source.access {
            Access::Connector(connector) => Some((source, &**connector)),
            Access::Graphql(_) => None,
        })
}

fn is_named(source: &Source, connector: &Connector, name: &str) -> bool {
    let local = match name.split_once(':') {
        Some((subgraph, local)) if subgraph == &*source.subgraph => local,
        Some(_) => return false,
        None => name,
    };
    let coordinate = source.name.split_once(':').map_or("", |(_, local)| local);
    let field = coordinate
        .split_once('[')
        .map_or(coordinate, |(field, _)| field);
    let id = connector.id.as_deref();
    local == coordinate || local == field || id == Some(local)
}
