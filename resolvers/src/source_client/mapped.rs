//! What a connector's answer gives, as it is kept: JSON whose members have the names of the graph's
//! fields, all that the connector gives, whatever an operation asked for.

use bytes::Bytes;
use hashbrown::HashMap;
use schema::connector::{Connector, ConnectorOutput};
use schema::json::Value;
use schema::mapping::Vars;

use super::shared_response::SharedResponse;
use crate::entity_key::{EntityKey, write_object_key};

/// The values of one answer.
#[derive(Debug)]
pub(crate) enum MappedValues {
    /// Of one object or one field; `None`: there is no such thing.
    Single(Option<Bytes>),
    /// Of a batch: by key, as the tree writes it.
    ByKey(HashMap<Box<[u8]>, Option<Bytes>, foldhash::fast::RandomState>),
}

impl MappedValues {
    /// What `connector` makes of an answer that is a success; `None` when it is not what it
    /// should be.
    pub(crate) fn from_response<'a>(
        connector: &'a Connector,
        response: &'a SharedResponse,
        vars: &Vars<'a>,
    ) -> Option<Self> {
        let body = response.body().ok()?.value();
        let value = connector.selection.eval(body, vars).value;
        let ConnectorOutput::Batch { key, .. } = &connector.output else {
            return Some(Self::Single(value.as_ref().and_then(json_bytes)));
        };
        let value = value?;
        let list = value.as_list()?;
        let hasher = foldhash::fast::RandomState::default();
        let mut values = HashMap::with_capacity_and_hasher(list.len(), hasher);
        let mut text = Vec::new();
        for element in list.iter() {
            text.clear();
            if write_object_key(&element, key, &mut text).is_some() {
                // Of objects with one key the last counts, as where rows are filled.
                values.insert(text.as_slice().into(), json_bytes(&element));
            }
        }
        Some(Self::ByKey(values))
    }

    /// The value of the object with that key; `None`: there is no such thing.
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
