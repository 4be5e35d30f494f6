//! An answer of a service that speaks GraphQL (GraphQL over HTTP, section 6): what there is of
//! it, or why there is none.

use schema::json::{Json, Kind, Node};

use super::SourceResponse;
use crate::error::FetchError;

/// What a service answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SubgraphResponse<'j> {
    /// An object; `None` where the request failed as a whole.
    pub(crate) data: Option<Node<'j>>,
    /// A list; `None` where there is nothing in it.
    pub(crate) errors: Option<Node<'j>>,
}

/// Reads the body, whatever its content type says.
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
    /// The answer that `json` is; any status will do where there is one.
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
            Some(_) => return Err(FetchError::NotGraphql("`data` is no object")),
        };
        match (data, errors) {
            (None, None) if response.status.is_success() => Err(FetchError::NotGraphql(
                "there is neither `data` nor an entry in `errors`",
            )),
            (None, None) => Err(FetchError::Status(response.status)),
            (data, errors) => Ok(Self { data, errors }),
        }
    }
}
