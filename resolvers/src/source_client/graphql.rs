//! The response of a subgraph (GraphQL over HTTP, section 6): its data and errors, or the reason
//! why it has neither.

use schema::json::{Json, Kind, Node};

use super::{SourceResponse, body};
use crate::error::FetchError;

/// The `data` and `errors` of a subgraph's response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubgraphResponse<'j> {
    /// An object; `None` if the request failed as a whole.
    pub(crate) data: Option<Node<'j>>,
    /// A list with entries, or a value that should have been one; `None` if there are none.
    pub(crate) errors: Option<Node<'j>>,
}

/// Parses the body as JSON, with any content type.
pub(crate) fn parse(response: &SourceResponse) -> Result<Json, FetchError> {
    body::json(response).map_err(|error| match error {
        FetchError::NotJson { status, .. } if !status.is_success() => FetchError::Status(status),
        error => error,
    })
}

impl<'j> SubgraphResponse<'j> {
    /// Checks the form of a response; a well-formed one may have any status.
    pub(crate) fn from_json(json: &'j Json, response: &SourceResponse) -> Result<Self, FetchError> {
        let root = json.root();
        let errors = root.get("errors").filter(|errors| match errors.kind() {
            Kind::Null => false,
            Kind::List(_) => !errors.is_empty(),
            Kind::Bool(_) | Kind::Number(_) | Kind::String(_) | Kind::Object(_) => true,
        });
        let is_list = errors.is_some_and(|errors| matches!(errors.kind(), Kind::List(_)));
        let data = root.get("data");
        let data = match data.map(Node::kind) {
            Some(Kind::Object(_)) => data,
            Some(Kind::Null) | None => None,
            // The errors tell more.
            Some(_) if is_list => None,
            Some(_) => return Err(FetchError::NotGraphql("`data` is not an object")),
        };
        match (data, errors) {
            (None, Some(_)) if !is_list => Err(FetchError::NotGraphql(NOT_A_LIST)),
            (None, None) if response.status.is_success() => {
                Err(FetchError::NotGraphql("it has neither `data` nor `errors`"))
            }
            (None, None) => Err(FetchError::Status(response.status)),
            (data, errors) => Ok(Self { data, errors }),
        }
    }
}

/// Why `errors` of another kind are not read.
pub(crate) const NOT_A_LIST: &str = "`errors` is not a list";
