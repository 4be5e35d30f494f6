//! What a connector's answer gives, as it is kept: JSON whose members have the names of the graph's
//! fields, all that the connector gives, whatever an operation asked for.

use bytes::Bytes;
use hashbrown::HashMap;
use schema::connector::{Connector, Gives};
use schema::json::Value;
use schema::mapping::Vars;

use crate::fetch::reply::{Reply, write_key};

/// The values of one answer.
#[derive(Debug)]
pub(crate) enum Mapped {
    /// Of one object or one field; `None`: there is no such thing.
    One(Option<Bytes>),
    /// Of a batch: by key, as the tree writes it.
    Each(HashMap<Box<[u8]>, Option<Bytes>, foldhash::fast::RandomState>),
}

impl Mapped {
    /// What `connector` makes of an answer that is a success; `None` when it is not what it
    /// should be.
    pub(crate) fn of<'a>(
        connector: &'a Connector,
        reply: &'a Reply,
        vars: &Vars<'a>,
    ) -> Option<Self> {
        let body = reply.body().ok()?.value();
        let value = connector.selection.eval(body, vars).value;
        let Gives::Batch { key, .. } = &connector.gives else {
            return Some(Self::One(value.as_ref().and_then(text)));
        };
        let value = value?;
        let list = value.as_list()?;
        let hasher = foldhash::fast::RandomState::default();
        let mut each = HashMap::with_capacity_and_hasher(list.len(), hasher);
        let mut name = Vec::new();
        for element in list.iter() {
            name.clear();
            if write_key(&element, key, &mut name).is_some() {
                // Of objects with one key the last counts, as where rows are filled.
                each.insert(name.as_slice().into(), text(&element));
            }
        }
        Some(Self::Each(each))
    }

    /// The value of the object with that key; `None`: there is no such thing.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Bytes> {
        match self {
            Self::One(value) => value.as_ref(),
            Self::Each(each) => each.get(key)?.as_ref(),
        }
    }
}

fn text(value: &Value<'_>) -> Option<Bytes> {
    if value.is_null() {
        return None;
    }
    let mut text = Vec::with_capacity(256);
    value.write_json(&mut text);
    Some(text.into())
}
