//! An answer of a service that speaks GraphQL (GraphQL over HTTP, section 6): what there is of
//! it, or why there is none.

use schema::json::{Json, Kind, Node};

use super::Answer;
use crate::error::FetchError;

/// What a service answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Response<'j> {
    /// An object; `None` where the request failed as a whole.
    pub(crate) data: Option<Node<'j>>,
    /// A list; `None` where there is nothing in it.
    pub(crate) errors: Option<Node<'j>>,
}

/// Reads the body, whatever its content type says.
pub(crate) fn read(answer: &Answer) -> Result<Json, FetchError> {
    Json::parse(answer.body.clone()).map_err(|error| {
        if answer.status.is_success() {
            FetchError::NotJson {
                status: answer.status,
                reason: error.to_string(),
            }
        } else {
            FetchError::Status(answer.status)
        }
    })
}

impl<'j> Response<'j> {
    /// The answer that `json` is; any status will do where there is one.
    pub(crate) fn of(json: &'j Json, answer: &Answer) -> Result<Self, FetchError> {
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
            (None, None) if answer.status.is_success() => Err(FetchError::NotGraphql(
                "there is neither `data` nor an entry in `errors`",
            )),
            (None, None) => Err(FetchError::Status(answer.status)),
            (data, errors) => Ok(Self { data, errors }),
        }
    }
}
