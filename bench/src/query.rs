//! What is asked.

use bytes::Bytes;
use clap::ValueEnum;
use serde_json::json;

/// One of the queries that every gateway answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Query {
    /// Nothing of a service: the price of the gateway itself.
    #[value(name = "Q0")]
    Q0,
    /// One user, each time another one.
    #[value(name = "Q1")]
    Q1,
    /// 50 orders with their customers and products: three calls.
    #[value(name = "Q2")]
    Q2,
    /// The same with 500 orders.
    #[value(name = "Q4")]
    Q4,
}

impl Query {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 4] = [Self::Q0, Self::Q1, Self::Q2, Self::Q4];

    /// The document; each query has exactly one.
    pub(crate) const fn document(self) -> &'static str {
        match self {
            Self::Q0 => "{ __typename }",
            Self::Q1 => "query($id: ID!) { user(id: $id) { id name email } }",
            Self::Q2 => {
                "{ orders(first: 50) { nodes { id status customer { id name email } items { quantity product { id name price { amount currency } } } } } }"
            }
            Self::Q4 => {
                "{ orders(first: 500) { nodes { id status customer { id name email } items { quantity product { id name price { amount currency } } } } } }"
            }
        }
    }

    /// How many clients ask at the same time.
    pub(crate) const fn connections(self) -> usize {
        match self {
            Self::Q0 | Self::Q1 | Self::Q2 => 50,
            // So many answers of this size at a time would measure the memory.
            Self::Q4 => 8,
        }
    }

    /// The bodies of its requests. Where it has variables, there are many, so that a gateway
    /// which shares the calls of equal requests gains nothing.
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
        }
    }
}

fn body(request: &serde_json::Value) -> Bytes {
    Bytes::from(request.to_string())
}

/// As many as the users service has.
const USERS: u32 = 1000;
