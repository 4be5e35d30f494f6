//! Values of a connector's response in the form in which they are cached: JSON with the field names
//! of the graph, with all fields of the connector, independent of the operation's selection.

use bytes::Bytes;
use hashbrown::HashMap;
use schema::connector::{Connector, ConnectorOutput};
use schema::json::Value;
use schema::mapping::Vars;

use super::ResponseBody;
use super::shared_response::SharedResponse;
use crate::entity_key::{EntityKey, KeyField, write_object_key};

/// The mapped values of one response.
#[derive(Debug)]
pub(crate) enum MappedValues {
    /// The value of one object or field; `None`: it does not exist.
    Single(Option<Bytes>),
    /// The values of a batch by key, in the form that the tree uses.
    ByKey(HashMap<Box<[u8]>, Option<Bytes>, foldhash::fast::RandomState>),
}

impl MappedValues {
    /// Maps a successful response of `connector`; `None` if it does not have the expected form, or if
    /// its body is not read: a page in place of JSON must not be cached.
    pub(crate) fn from_response<'a>(
        connector: &'a Connector,
        batch_key: &[KeyField],
        response: &'a SharedResponse,
        vars: &Vars<'a>,
    ) -> Option<Self> {
        let body = response.body().ok()?;
        if matches!(body, ResponseBody::Unread(_)) {
            return None;
        }
        let body = body.value();
        let value = connector.selection.eval(body, vars).value;
        let ConnectorOutput::Batch { .. } = &connector.output else {
            return Some(Self::Single(value.as_ref().and_then(json_bytes)));
        };
        let value = value?;
        let list = value.as_list()?;
        let hasher = foldhash::fast::RandomState::default();
        let mut values = HashMap::with_capacity_and_hasher(list.len(), hasher);
        let mut text = Vec::new();
        for element in list.iter() {
            text.clear();
            if write_object_key(&element, batch_key, &mut text).is_some() {
                // Of objects with equal keys the last counts, as where rows are filled.
                values.insert(text.as_slice().into(), json_bytes(&element));
            }
        }
        Some(Self::ByKey(values))
    }

    /// The value of the object with this key; `None`: it does not exist.
    pub(crate) fn get(&self, EntityKey(key): EntityKey<'_>) -> Option<&Bytes> {
        match self {
            Self::Single(value) => value.as_ref(),
            Self::ByKey(values) => values.get(key)?.as_ref(),
        }
    }
}

fn json_bytes(value: &Value<'_>) -> Option<Bytes> {
    if value.is_null() {
        return None;
    }
    let mut text = Vec::with_capacity(256);
    value.write_json(&mut text);
    Some(text.into())
}
