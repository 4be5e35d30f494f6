//! The response of a subgraph (GraphQL over HTTP, section 6): its data and errors, or the reason
//! why it has neither.

use schema::json::{Json, Kind, Node};

use super::SourceResponse;
use crate::error::FetchError;

/// The `data` and `errors` of a subgraph's response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubgraphResponse<'j> {
    /// An object; `None` if the request failed as a whole.
    pub(crate) data: Option<Node<'j>>,
    /// A list with entries; `None` if there are none.
    pub(crate) errors: Option<Node<'j>>,
}

/// Parses the body as JSON, with any content type.
pub(crate) fn parse(response: &SourceResponse) -> Result<Json, FetchError> {
    Json::parse(response.body.clone()).map_err(|error| {
        if response.status.is_success() {
            FetchError::NotJson {
                status: response.status,
                reason: error.to_string(),
            }
        } else {
            FetchError::Status(response.status)
        }
    })
}

impl<'j> SubgraphResponse<'j> {
    /// Checks the form of a response; a well-formed one may have any status.
    pub(crate) fn from_json(json: &'j Json, response: &SourceResponse) -> Result<Self, FetchError> {
        let root = json.root();
        let errors = root.get("errors").filter(|errors| {
            let is_list = matches!(errors.kind(), Kind::List(_));
            is_list && !errors.is_empty()
        });
        let data = root.get("data");
        let data = match data.map(Node::kind) {
            Some(Kind::Object(_)) => data,
            Some(Kind::Null) | None => None,
            Some(_) => return Err(FetchError::NotGraphql("`data` is not an object")),
        };
        match (data, errors) {
            (None, None) if response.status.is_success() => {
                Err(FetchError::NotGraphql("it has neither `data` nor `errors`"))
            }
            (None, None) => Err(FetchError::Status(response.status)),
            (data, errors) => Ok(Self { data, errors }),
        }
    }
}
