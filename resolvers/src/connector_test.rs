//! One connector by itself, without a network: which request it makes, what it makes of an answer.
//!
//! Runs the very code that answers operations, with the whole selection instead of what an
//! operation asks for. What the variables are is up to the caller: arguments are not coerced and
//! have no defaults here, and results are not checked against the types of the schema.

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

/// A connector, ready to be tried.
#[derive(Debug)]
pub struct ConnectorTest<'g> {
    source: &'g Source,
    connector: &'g Connector,
    ready: ConnectorClient,
}

/// Why a name does not name a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// No connector is called so; these are all there are.
    Unknown(Vec<Name>),
    /// It may be any of these.
    Ambiguous(Vec<Name>),
}

/// What a connector is given.
#[derive(Debug, Default)]
pub struct Inputs {
    /// By name, without the dollar. `args` and `this` are empty objects where they are not given,
    /// `config` and `env` what the settings say.
    pub variables: Vec<(String, Json)>,
    /// The client's headers: what connectors forward, and `$request`.
    pub headers: HeaderMap,
}

/// The request that a connector makes.
#[derive(Debug)]
pub struct BuiltRequest {
    /// Its method.
    pub method: Method,
    /// Its whole URL.
    pub url: Url,
    /// Those that the connector decides; framing is added when a request is sent.
    pub headers: HeaderMap,
    /// Nothing, when the connector has no `body`.
    pub body: Option<Bytes>,
}

/// What a source is said to have answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// All of its headers.
    pub headers: HeaderMap,
    /// As it came.
    pub body: Bytes,
}

/// What became of an answer.
#[derive(Debug)]
pub struct MappedResponse {
    /// What the selection gave, as JSON; `None` when it gave nothing at all.
    pub result: Result<Option<String>, FetchError>,
    /// What the selection met on the way.
    pub reports: Vec<Report>,
}

impl<'g> ConnectorTest<'g> {
    /// The connector called `name`: its coordinate (`users:Query.user[0]`), with or without the
    /// subgraph and, where it is the only one of its place, the number; or its `id`.
    pub fn find(graph: &'g Graph, settings: &Settings, name: &str) -> Result<Self, NotFound> {
        let matches: Vec<(&Source, &Connector)> = connectors(graph)
            .filter(|(source, connector)| is_named(source, connector, name))
            .collect();
        match matches.as_slice() {
            [(source, connector)] => Ok(Self {
                source,
                connector,
                ready: ConnectorClient::new(source, connector, settings),
            }),
            [] => Err(NotFound::Unknown(coordinates(graph))),
            several => {
                let names = several.iter().map(|(source, _)| Name::clone(&source.name));
                Err(NotFound::Ambiguous(names.collect()))
            }
        }
    }

    /// Its whole coordinate: `users:Query.user[0]`.
    pub fn coordinate(&self) -> &str {
        &self.source.name
    }

    /// The subgraph that it belongs to.
    pub fn subgraph(&self) -> &str {
        &self.source.subgraph
    }

    /// The request that it makes; an error when none can be made.
    pub fn request(&self, inputs: &Inputs) -> Result<BuiltRequest, FetchError> {
        let vars = self.vars(inputs);
        let built = request::build(self.connector, &self.ready, &inputs.headers, &vars)?;
        Ok(BuiltRequest {
            method: built.method,
            url: built.url,
            headers: built.headers,
            body: built.body,
        })
    }

    /// What it makes of a response.
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
        let answer =
            SourceResponse::with_no_delay(response.status, response.headers, response.body);
        let body = ResponseBody::parse(&answer)?;
        let mut vars = self.vars(inputs);
        source_client::set_response_vars(&self.ready, &answer, &mut vars);
        let connector = self.connector;
        source_client::check_success(connector, &answer, &body.value(), &vars)?;
        let outcome = connector.selection.eval(body.value(), &vars);
        *reports = outcome.reports;
        let is_list = outcome
            .value
            .as_ref()
            .is_some_and(|it| it.as_list().is_some());
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
            .with("config", Value::Node(self.ready.config.root()))
            .with("env", Value::Node(self.ready.environment.root()))
            .with("request", request::headers_value(&inputs.headers));
        for (name, value) in &inputs.variables {
            vars.set(name.as_str(), Value::Node(value.root()));
        }
        vars
    }
}

/// The coordinates of all connectors of a graph, in the order of its subgraphs.
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
        Some((service, local)) if service == &*source.subgraph => local,
        Some(_) => return false,
        None => name,
    };
    let coordinate = source.name.split_once(':').map_or("", |(_, local)| local);
    let place = coordinate
        .split_once('[')
        .map_or(coordinate, |(place, _)| place);
    let id = connector.id.as_deref();
    local == coordinate || local == place || id == Some(local)
}
