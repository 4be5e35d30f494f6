//! A response shared by all waiters of a call: the first reader parses its body.

use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use hashbrown::HashTable;
use schema::json::{Json, Value, View};
use schema::source::SourceId;

use super::{ResponseBody, SourceResponse, graphql};
use crate::entity_key::{EntityKey, KeyField, write_object_key};
use crate::error::FetchError;
use crate::source_client::mapped::MappedValues;

/// A response with several readers.
#[derive(Debug)]
pub(crate) struct SharedResponse {
    pub(crate) response: SourceResponse,
    body: OnceLock<Result<ResponseBody, FetchError>>,
    key_index: OnceLock<Option<KeyIndex>>,
    mapped_values: OnceLock<(SourceId, Option<Arc<MappedValues>>)>,
}

/// The result of a call, shared by all of its waiters.
pub(crate) type CallResult = Result<Arc<SharedResponse>, FetchError>;

impl SharedResponse {
    pub(crate) fn new(response: SourceResponse) -> Self {
        Self {
            response,
            body: OnceLock::new(),
            key_index: OnceLock::new(),
            mapped_values: OnceLock::new(),
        }
    }

    /// The body as a connector reads it, by its content type.
    pub(crate) fn body(&self) -> Result<&ResponseBody, FetchError> {
        let body = self
            .body
            .get_or_init(|| ResponseBody::parse(&self.response));
        body.as_ref().map_err(Clone::clone)
    }

    /// The body as a subgraph's response, which is JSON.
    pub(crate) fn graphql(&self) -> Result<&Arc<Json>, FetchError> {
        let read = || graphql::parse(&self.response).map(|json| ResponseBody::Json(Arc::new(json)));
        match self.body.get_or_init(read) {
            Ok(ResponseBody::Json(json)) => Ok(json),
            Ok(_) => Err(FetchError::NotGraphql("the body is not JSON")),
            Err(error) => Err(error.clone()),
        }
    }

    /// The values that the connector of `source` maps the response to, if they depend on nothing
    /// else: computed once, unless several connectors read the response.
    pub(crate) fn mapped_values(
        &self,
        source: SourceId,
        map: impl Fn() -> Option<MappedValues>,
    ) -> Option<Arc<MappedValues>> {
        let map = || map().map(Arc::new);
        let (known, mapped) = self.mapped_values.get_or_init(|| (source, map()));
        if *known == source {
            mapped.clone()
        } else {
            map()
        }
    }

    /// The position of each key in the list that `list` returns; `None` if it returns none.
    pub(crate) fn key_index<'v>(
        &self,
        fields: &[KeyField],
        list: impl FnOnce() -> Option<Value<'v>>,
    ) -> Option<&KeyIndex> {
        let index = self
            .key_index
            .get_or_init(|| KeyIndex::from_list(&list()?, fields));
        index.as_ref()
    }
}

/// The positions of the objects of a list by key.
#[derive(Debug)]
pub(crate) struct KeyIndex {
    /// Number of objects in the list, with or without a key.
    objects: usize,
    table: HashTable<(Box<[u8]>, usize)>,
    hasher: foldhash::fast::RandomState,
}

impl KeyIndex {
    fn from_list(value: &Value<'_>, fields: &[KeyField]) -> Option<Self> {
        let list = value.as_list()?;
        let mut index = Self {
            objects: 0,
            table: HashTable::with_capacity(list.len()),
            hasher: foldhash::fast::RandomState::default(),
        };
        let mut text = Vec::new();
        for (position, element) in list.iter().enumerate() {
            text.clear();
            index.objects += usize::from(matches!(element.view(), View::Object(_)));
            let key = write_object_key(&element, fields, &mut text);
            if key.is_some() && index.find(EntityKey(&text)).is_none() {
                let hasher = &index.hasher;
                let hash = hasher.hash_one(&*text);
                let entry = (text.as_slice().into(), position);
                let rehash = |(known, _): &(Box<[u8]>, usize)| hasher.hash_one(&**known);
                index.table.insert_unique(hash, entry, rehash);
            }
        }
        Some(index)
    }

    /// Number of objects in the list.
    pub(crate) fn objects(&self) -> usize {
        self.objects
    }

    /// The position of the object with this key.
    pub(crate) fn find(&self, EntityKey(key): EntityKey<'_>) -> Option<usize> {
        let hash = self.hasher.hash_one(key);
        let found = self.table.find(hash, |(known, _)| **known == *key);
        found.map(|(_, position)| *position)
    }
}
