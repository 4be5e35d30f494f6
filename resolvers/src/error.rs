//! What can go wrong while an operation is answered, in small types.
//!
//! What strangers are told of it is decided by the gateway.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

/// Why nothing of a request was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// Safe to show to the client that sent the request.
    pub message: String,
    /// Line and column in the document, both from 1.
    pub locations: Vec<(usize, usize)>,
    /// What kind of refusal.
    pub kind: RequestErrorKind,
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestErrorKind {
    /// The document is not GraphQL.
    Parse,
    /// The document does not fit the schema.
    Validation,
    /// A variable's value does not fit its type.
    Variables,
    /// No operation of the given name, or several and no name.
    OperationName,
    /// A limit of the operator.
    Limit,
    /// Introspection, where the operator refuses it.
    Introspection,
    /// A mutation where only queries may run.
    NotAllowed,
    /// No plan could be made, though the operation is valid.
    Planning,
}

/// Why one field is null.
#[derive(Clone, Debug)]
pub struct FieldError {
    /// Response keys and list indexes from the root.
    pub path: Vec<PathElement>,
    /// What happened.
    pub kind: FieldErrorKind,
}

/// One step of a response path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathElement {
    /// A response key.
    Key(Arc<str>),
    /// A place in a list, from 0.
    Index(usize),
}

/// Kinds of field errors.
#[derive(Clone, Debug)]
pub enum FieldErrorKind {
    /// A source gave no value for `Type.field`, which may not be null.
    NonNull {
        /// `Type.field`.
        coordinate: Arc<str>,
    },
    /// A source gave a value that `type_name` cannot have.
    WrongType {
        /// `Type.field`.
        coordinate: Arc<str>,
        /// As the schema writes it.
        type_name: Arc<str>,
    },
    /// A call failed.
    Fetch(Arc<FetchFailure>),
    /// More errors than are listed; how many were left out.
    More(usize),
}

/// What a mapping met, for who writes it.
#[derive(Clone, Debug)]
pub struct ConnectorReport {
    /// Which connector: `<subgraph>:<Type>.<field>[n]`.
    pub coordinate: Arc<str>,
    /// What, and where in the answer and in the mapping.
    pub report: schema::mapping::Report,
}

/// A call that brought nothing back.
#[derive(Debug)]
pub struct FetchFailure {
    /// The subgraph that the call was for.
    pub subgraph: Arc<str>,
    /// Which connector: `<subgraph>:<Type>.<field>[n]`; for a service that speaks GraphQL its name.
    pub coordinate: Arc<str>,
    /// Why.
    pub error: FetchError,
}

/// The index of a failure in `Failures::all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailureId(u32);

impl FailureId {
    /// A failure that is not recorded: its value is null, without an error.
    pub(crate) const UNRECORDED: Self = Self(u32::MAX);
}

/// All failures of the execution of one operation.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// By `FailureId`.
    pub(crate) all: Vec<Arc<FetchFailure>>,
    /// Errors of subgraphs whose path leads to no null of the response; listed without a path.
    pub(crate) unplaced: Vec<FailureId>,
    /// Number of further errors of subgraphs, over the limit.
    pub(crate) omitted: usize,
}

impl Failures {
    /// Records a failure and returns its id.
    pub(crate) fn add(&mut self, failure: Arc<FetchFailure>) -> FailureId {
        let id = u32::try_from(self.all.len()).map_or(FailureId::UNRECORDED, FailureId);
        self.all.push(failure);
        id
    }

    pub(crate) fn get(&self, id: FailureId) -> Option<&Arc<FetchFailure>> {
        self.all.get(id.0 as usize)
    }
}

/// Why one call brought nothing back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// The request could not be made from the template.
    #[error("the request cannot be built: {0}")]
    Build(String),
    /// The operation made as many calls to the source as it may.
    #[error("more than {0} calls in one operation")]
    TooMany(usize),
    /// No connection.
    #[error("no connection")]
    Connect(#[source] Arc<reqwest::Error>),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] Arc<reqwest::Error>),
    /// Too slow.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// A body over the limit.
    #[error("answered with more than {0} bytes")]
    TooLarge(usize),
    /// The connector's `isSuccess`, or a status outside 200 to 299.
    #[error("answered {status}")]
    Refused {
        /// As the source sent it.
        status: StatusCode,
        /// `errors.message` of the connector, when it has one.
        message: Option<String>,
        /// `errors.extensions`: a JSON object.
        extensions: Option<String>,
    },
    /// The body is not what its content type says.
    #[error("answered {status} with something that is not JSON")]
    NotJson {
        /// As the source sent it.
        status: StatusCode,
        /// What the parser said.
        reason: String,
    },
    /// A batch that did not answer with a list.
    #[error("answered a batch with something that is not a list")]
    NotAList,
    /// A service that speaks GraphQL answered with another status, and without a GraphQL answer.
    #[error("answered {0} without `data` or `errors`")]
    Status(StatusCode),
    /// A service that speaks GraphQL answered with other JSON.
    #[error("answered with JSON that is not what was asked: {0}")]
    NotGraphql(&'static str),
    /// An object of a type that the service's schema does not have there.
    #[error("answered with an object of the type {0}, which the graph does not know there")]
    UnknownType(String),
    /// An error that a service gave with its answer.
    #[error("answered with an error: {0}")]
    GraphqlError(SubgraphError),
    /// A service in the process panicked.
    #[error("panicked")]
    Panicked,
}

impl FetchError {
    /// Whether it says that the service is not well, so that what it said before is the best there
    /// is (RFC 5861 §4), and not that this is how things are now.
    pub fn is_source_failure(&self) -> bool {
        let is_unwell = |status: &StatusCode| {
            status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
        };
        match self {
            Self::Connect(_)
            | Self::Broken(_)
            | Self::Timeout(_)
            | Self::TooLarge(_)
            | Self::Panicked
            | Self::NotAList
            | Self::NotGraphql(_)
            | Self::NotJson { .. } => true,
            Self::Refused { status, .. } | Self::Status(status) => is_unwell(status),
            Self::Build(_) | Self::TooMany(_) | Self::UnknownType(_) | Self::GraphqlError(_) => {
                false
            }
        }
    }
}

/// An entry in `errors` of a service that speaks GraphQL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SubgraphError {
    /// As the service gave it.
    pub message: String,
    /// A JSON object, as the service gave it.
    pub extensions: Option<String>,
}
