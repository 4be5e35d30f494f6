//! The queries.

use std::borrow::Cow;

use bytes::Bytes;
use clap::ValueEnum;
use serde_json::json;

pub(crate) use self::varied::Fields;

mod varied;

/// The queries that all gateways support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Query {
    /// No call of a service: the cost of the gateway itself.
    #[value(name = "Q0")]
    Q0,
    /// One user, a different one in each request.
    #[value(name = "Q1")]
    Q1,
    /// 50 orders with their customers and products: three calls.
    #[value(name = "Q2")]
    Q2,
    /// 500 orders with their customers and products: three calls.
    #[value(name = "Q4")]
    Q4,
    /// Q2 over 64 pages of 40 to 60 orders, each with every subset of its fields: equal requests are
    /// rare, so that neither shared calls nor cached responses help.
    #[value(name = "V2")]
    V2,
}

impl Query {
    /// All queries, in the order of the table.
    pub(crate) const ALL: [Self; 5] = [Self::Q0, Self::Q1, Self::Q2, Self::Q4, Self::V2];

    /// The document of the query; of a varied one that with all fields.
    pub(crate) fn document(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Q0 => "{ __typename }",
            Self::Q1 => "query($id: ID!) { user(id: $id) { id name email } }",
            Self::Q2 => {
                "{ orders(first: 50) { nodes { id status customer { id name email } items { quantity product { id name price { amount currency } } } } } }"
            }
            Self::Q4 => {
                "{ orders(first: 500) { nodes { id status customer { id name email } items { quantity product { id name price { amount currency } } } } } }"
            }
            Self::V2 => return Fields::ALL.document().into(),
        })
    }

    /// Number of concurrent clients.
    pub(crate) const fn connections(self) -> usize {
        match self {
            Self::Q0 | Self::Q1 | Self::Q2 | Self::V2 => 50,
            // More responses of this size at a time would measure the memory of the machine.
            Self::Q4 => 8,
        }
    }

    /// The bodies of the requests. A query with variables has many, so that a gateway that coalesces
    /// the calls of equal requests has no advantage.
    pub(crate) fn bodies(self) -> Vec<Bytes> {
        let document = self.document();
        match self {
            Self::Q0 | Self::Q2 | Self::Q4 => vec![body(&json!({ "query": document }))],
            Self::Q1 => (1..=USERS)
                .map(|id| {
                    let variables = json!({ "id": id.to_string() });
                    body(&json!({ "query": document, "variables": variables }))
                })
                .collect(),
            Self::V2 => varied::bodies(),
        }
    }
}

fn body(request: &serde_json::Value) -> Bytes {
    Bytes::from(request.to_string())
}

/// Number of users of the users service.
const USERS: u32 = 1000;
