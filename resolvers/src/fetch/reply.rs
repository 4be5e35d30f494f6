//! What a source answered, for all who asked: the body is read once, whoever needs it first.

use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use hashbrown::HashTable;
use schema::json::{Json, Node, Value};
use schema::key::FieldSet;
use schema::source::SourceId;

use super::{Answer, Body, graphql};
use crate::error::FetchError;
use crate::fetch::mapped::Mapped;
use crate::tree::write_canonical;

/// An answer that many may read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    body: OnceLock<Result<Body, FetchError>>,
    index: OnceLock<Option<Index>>,
    mapped: OnceLock<(SourceId, Option<Arc<Mapped>>)>,
}

/// What becomes of a call, for everybody who waits for it.
pub(crate) type Outcome = Result<Arc<Reply>, FetchError>;

impl Reply {
    pub(crate) fn new(answer: Answer) -> Self {
        Self {
            answer,
            body: OnceLock::new(),
            index: OnceLock::new(),
            mapped: OnceLock::new(),
        }
    }

    /// The body as a connector reads it: by its content type.
    pub(crate) fn body(&self) -> Result<&Body, FetchError> {
        let body = self.body.get_or_init(|| Body::read(&self.answer));
        body.as_ref().map_err(Clone::clone)
    }

    /// The body of a service that speaks GraphQL.
    pub(crate) fn graphql(&self) -> Result<&Arc<Json>, FetchError> {
        let read = || graphql::read(&self.answer).map(|json| Body::Json(Arc::new(json)));
        match self.body.get_or_init(read) {
            Ok(Body::Json(json)) => Ok(json),
            Ok(Body::Text(_) | Body::Nothing) => Err(FetchError::NotGraphql("it is no JSON")),
            Err(error) => Err(error.clone()),
        }
    }

    /// What the connector of `source` makes of it, where that depends on nothing else: made once,
    /// unless several connectors read it.
    pub(crate) fn mapped(
        &self,
        source: SourceId,
        make: impl Fn() -> Option<Mapped>,
    ) -> Option<Arc<Mapped>> {
        let made = || make().map(Arc::new);
        let (known, mapped) = self.mapped.get_or_init(|| (source, made()));
        if *known == source {
            mapped.clone()
        } else {
            made()
        }
    }

    /// Where the object of each key is in the list that `list` gives; `None` when it gives none.
    pub(crate) fn index<'v>(
        &self,
        fields: &FieldSet,
        list: impl FnOnce() -> Option<Value<'v>>,
    ) -> Option<&Index> {
        let index = self.index.get_or_init(|| Index::of(&list()?, fields));
        index.as_ref()
    }
}

/// The place of each object of a list, by its key.
#[derive(Debug)]
pub(crate) struct Index {
    table: HashTable<(Box<[u8]>, usize)>,
    hasher: foldhash::fast::RandomState,
}

impl Index {
    fn of(value: &Value<'_>, fields: &FieldSet) -> Option<Self> {
        let list = value.as_list()?;
        let mut index = Self {
            table: HashTable::with_capacity(list.len()),
            hasher: foldhash::fast::RandomState::default(),
        };
        let mut text = Vec::new();
        for (place, element) in list.iter().enumerate() {
            text.clear();
            if write_key(&element, fields, &mut text).is_some() && index.find(&text).is_none() {
                let hasher = &index.hasher;
                let hash = hasher.hash_one(&*text);
                let entry = (text.as_slice().into(), place);
                let again = |(known, _): &(Box<[u8]>, usize)| hasher.hash_one(&**known);
                index.table.insert_unique(hash, entry, again);
            }
        }
        Some(index)
    }

    /// Where the object with this key is.
    pub(crate) fn find(&self, key: &[u8]) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        let found = self.table.find(hash, |(known, _)| **known == *key);
        found.map(|(_, place)| *place)
    }
}

/// Appends the key of an object, as the tree writes those of rows; `None` when a part is missing.
pub(crate) fn write_key(
    object: &Value<'_>,
    FieldSet(fields): &FieldSet,
    out: &mut Vec<u8>,
) -> Option<()> {
    for (name, inner) in fields {
        let value = object.get(name)?;
        if !inner.is_empty() {
            write_key(&value, inner, out)?;
            continue;
        }
        match &value {
            Value::Null => return None,
            Value::Node(node) if node.is_null() => return None,
            Value::Node(node) => write_canonical(Node::raw_bytes(*node), out),
            computed => computed.write_json(out),
        }
        out.push(0);
    }
    Some(())
}
