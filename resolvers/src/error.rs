//! Errors of the execution of an operation, in small types.
//!
//! The gateway decides which parts of them clients see.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::memory::MemoryExceeded;
use crate::redacted::RedactedUrl;
use crate::selection::PositionId;

/// A request error: the operation was not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// Message that is safe to return to the client.
    pub message: String,
    /// Line and column in the document, both from 1.
    pub locations: Vec<(usize, usize)>,
    /// Kind of the error.
    pub kind: RequestErrorKind,
}

/// The kinds of request errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestErrorKind {
    /// The document is not GraphQL.
    Parse,
    /// The document does not fit the schema.
    Validation,
    /// A variable's value does not fit its type.
    Variables,
    /// No operation has the requested name, or several operations and no name.
    OperationName,
    /// The operation exceeds a limit.
    Limit,
    /// Not an error: counts those that are not listed.
    More,
    /// Introspection is disabled.
    Introspection,
    /// A mutation was sent where only queries are allowed.
    NotAllowed,
    /// No source provides a selected field at its position; `weir check` reports such fields.
    UnreachableField,
    /// The operation was not prepared in time, because others are.
    PrepareTimeout,
    /// A fault of the gateway: preparing the operation panicked.
    Planning,
}

/// A field error: why a field is null.
#[derive(Clone, Debug)]
pub struct FieldError {
    /// Response keys and list indexes from the root.
    pub path: Vec<PathElement>,
    /// Kind of the error.
    pub kind: FieldErrorKind,
}

/// One step of a response path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathElement {
    /// A response key.
    Key(Arc<str>),
    /// A list index, from 0.
    Index(usize),
}

/// The kinds of field errors.
#[derive(Clone, Debug)]
pub enum FieldErrorKind {
    /// A source returned no value for `Type.field`, which is non-null.
    NonNull {
        /// `Type.field`.
        coordinate: Arc<str>,
    },
    /// A source returned a value that is not of type `type_name`.
    WrongType {
        /// `Type.field`.
        coordinate: Arc<str>,
        /// The type as the schema writes it.
        type_name: Arc<str>,
    },
    /// A call failed.
    Fetch(Arc<FetchFailure>),
    /// The number of errors over the limit, which are omitted.
    More(usize),
    /// `data` would have more than this number of bytes; the whole of it is null.
    ResponseTooLarge(usize),
}

/// A problem found by a mapping, for its author.
#[derive(Clone, Debug)]
pub struct ConnectorReport {
    /// Coordinate of the connector: `<subgraph>:<Type>.<field>[n]`.
    pub coordinate: Arc<str>,
    /// The mapping or template as arguments of the directive: `selection`, `isSuccess`,
    /// `errors.message`, `http.GET`, `http.headers.accept`, `source.http.baseURL`.
    pub mapping: Cow<'static, str>,
    /// The problem with its positions in the response and the mapping.
    pub report: schema::mapping::Report,
}

/// A failed call with its source.
#[derive(Debug)]
pub struct FetchFailure {
    /// The subgraph that the call was for.
    pub subgraph: Arc<str>,
    /// Coordinate of the connector: `<subgraph>:<Type>.<field>[n]`; for a subgraph its name.
    pub coordinate: Arc<str>,
    /// Cause.
    pub error: FetchError,
}

/// The index of a failure in `Failures`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FailureId(u32);

impl FailureId {
    /// A failure that is not recorded: its value is null, without an error.
    pub(crate) const UNRECORDED: Self = Self(u32::MAX);
}

/// All failures of the execution of one operation.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// By `FailureId`.
    kinds: Vec<FieldErrorKind>,
    /// The failed calls among them.
    pub(crate) calls: Vec<Arc<FetchFailure>>,
    /// Errors of subgraphs whose path leads to no null of the response; listed without a path.
    pub(crate) unplaced: Vec<FailureId>,
    /// Number of further errors of subgraphs, over the limit.
    pub(crate) omitted: usize,
    /// Where the errors of subgraphs occurred that made more than their own field null.
    pub(crate) origins: HashMap<FailureId, ErrorOrigin>,
}

/// Where an error occurred, from the object on of which it made a value null.
#[derive(Debug)]
pub(crate) struct ErrorOrigin {
    /// The position of the object.
    pub(crate) at: PositionId,
    pub(crate) steps: Vec<OriginStep>,
}

/// One step to an origin.
#[derive(Debug)]
pub(crate) enum OriginStep {
    /// The slots that the value of one field fills.
    Slots(Vec<usize>),
    Index(usize),
}

impl Failures {
    /// Records a failed call and returns its id.
    pub(crate) fn add(&mut self, failure: Arc<FetchFailure>) -> FailureId {
        self.calls.push(Arc::clone(&failure));
        self.add_kind(FieldErrorKind::Fetch(failure))
    }

    /// Records a failure of any kind and returns its id.
    pub(crate) fn add_kind(&mut self, kind: FieldErrorKind) -> FailureId {
        let id = u32::try_from(self.kinds.len()).map_or(FailureId::UNRECORDED, FailureId);
        self.kinds.push(kind);
        id
    }

    pub(crate) fn get(&self, id: FailureId) -> Option<&FieldErrorKind> {
        self.kinds.get(id.0 as usize)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}

/// The cause of a failed call.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FetchError {
    /// The request could not be built from the template.
    #[error("the request cannot be built: {0}")]
    Build(String),
    /// The operation reached its maximum number of calls to the source.
    #[error("more than {0} calls in one operation")]
    TooMany(usize),
    /// As many calls as allowed wait for the source.
    #[error("{0} calls wait for the source")]
    Overloaded(usize),
    /// No connection could be established.
    #[error("no connection")]
    Connect(#[source] TransportError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] TransportError),
    /// The response did not arrive in time.
    #[error("no response within {0:?}")]
    Timeout(Duration),
    /// The response body exceeds the limit.
    #[error("answered with more than {0} bytes")]
    TooLarge(usize),
    /// The operation would hold more bytes than it may.
    #[error("the operation holds more than {0} bytes")]
    MemoryExceeded(usize),
    /// The connector's `isSuccess` is not true, or the status is outside 200 to 299.
    #[error("answered {status}")]
    Refused {
        /// The status that the source sent.
        status: StatusCode,
        /// `errors.message` of the connector, when it has one.
        message: Option<String>,
        /// `errors.extensions`: a JSON object.
        extensions: Option<String>,
    },
    /// The body does not have the form that its content type declares.
    #[error("answered {status} with a body that is not JSON")]
    NotJson {
        /// The status that the source sent.
        status: StatusCode,
        /// Message of the parser.
        reason: String,
    },
    /// The body has a content encoding that is unknown, or is not in it.
    #[error("answered {status} with a body that cannot be decoded: {reason}")]
    Undecodable {
        /// The status that the source sent.
        status: StatusCode,
        /// Names the encoding.
        reason: String,
    },
    /// The response of a batch is not a list.
    #[error("answered a batch with a value that is not a list")]
    NotAList,
    /// A subgraph returned an error status without a GraphQL response.
    #[error("answered {0} without `data` or `errors`")]
    Status(StatusCode),
    /// A subgraph returned JSON that is not a GraphQL response.
    #[error("answered with JSON that is not a GraphQL response: {0}")]
    NotGraphql(&'static str),
    /// A subgraph returned an object of a type that its schema does not allow there.
    #[error("answered with an object of type {0}, which the graph does not have there")]
    UnknownType(String),
    /// A subgraph returned a GraphQL error.
    #[error("answered with an error: {0}")]
    GraphqlError(SubgraphError),
    /// A service in this process panicked.
    #[error("panicked")]
    Panicked,
}

/// An error of the HTTP transport with a redacted address: no user, no password, no query.
#[derive(Clone, Debug)]
pub struct TransportError {
    address: Box<str>,
    error: Arc<reqwest::Error>,
}

impl TransportError {
    /// Takes the URL out of an error, and its redacted form with it.
    pub(crate) fn new(error: reqwest::Error) -> Self {
        let address = error.url().map(|url| RedactedUrl(url).to_string());
        Self {
            address: address.unwrap_or_default().into(),
            error: Arc::new(error.without_url()),
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.address, self.error)
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<MemoryExceeded> for FetchError {
    fn from(MemoryExceeded(limit): MemoryExceeded) -> Self {
        Self::MemoryExceeded(limit)
    }
}

impl FetchError {
    /// Whether the error shows that the source is failing, so that a stale value may be returned
    /// (RFC 5861 §4), rather than that the value has changed.
    pub fn is_source_failure(&self) -> bool {
        let is_unwell = |status: &StatusCode| {
            status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
        };
        match self {
            Self::Connect(_)
            | Self::Broken(_)
            | Self::Timeout(_)
            | Self::Overloaded(_)
            | Self::TooLarge(_)
            | Self::Panicked
            | Self::NotAList
            | Self::NotGraphql(_)
            | Self::NotJson { .. }
            | Self::Undecodable { .. } => true,
            Self::Refused { status, .. } | Self::Status(status) => is_unwell(status),
            Self::Build(_)
            | Self::TooMany(_)
            | Self::MemoryExceeded(_)
            | Self::UnknownType(_)
            | Self::GraphqlError(_) => false,
        }
    }
}

/// An entry in `errors` of a subgraph's response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SubgraphError {
    /// Message as the subgraph sent it.
    pub message: String,
    /// Extensions as the subgraph sent them, a JSON object.
    pub extensions: Option<String>,
}
