//! Responses of batches that have the entities of other operations too: finds the operation's own
//! by their keys.

use std::sync::Arc;

use schema::connector::Phase;
use schema::json::Value as Json;
use schema::mapping::eval_mapping;

use super::entities::Entities;
use super::execution::Execution;
use super::shared_batch::SubstitutedFetch;
use super::{ConnectorFetch, variables};
use crate::batch::groups::BatchCall;
use crate::cache::{CachedValue, Reuse};
use crate::entity_key::{EntityIndex, EntityKey};
use crate::error::FetchError;
use crate::response::rows::RowFiller;
use crate::source_client::shared_response::SharedResponse;
use crate::source_client::{self, ResponseBody};
use crate::tree::{Row, Value};

impl<'a> Execution<'_, 'a> {
    /// Reads the entities of a fetch out of a response that has those of other operations too.
    pub(super) fn read_own(
        &mut self,
        fetch: ConnectorFetch<'a>,
        own: &[EntityIndex],
        entities: &Entities,
        call: &BatchCall,
    ) -> Result<(), FetchError> {
        let keys = own.iter().map(|entity| entities.entity(*entity).key());
        let rows = self.rows_by_key(fetch, keys, call)?;
        for (entity, row) in own.iter().zip(rows) {
            if let Some(row) = row {
                self.copy_to_rows(fetch.fetch, row, entities.entity(*entity).rows());
            }
        }
        Ok(())
    }

    /// Reads the entity of a root field; false when the batch has no such entity.
    pub(super) fn read_field(
        &mut self,
        own: ConnectorFetch<'a>,
        substituted: &SubstitutedFetch<'a>,
        call: &BatchCall,
    ) -> Result<bool, FetchError> {
        let keys = std::iter::once(EntityKey(&substituted.key));
        let rows = self.rows_by_key(substituted.fetch, keys, call)?;
        let (Some(Some(row)), Some(slot)) = (rows.first(), own.fetch.field_slot) else {
            return Ok(false);
        };
        let root = self.tree.root();
        self.set_field(own.fetch, slot, &[root], Value::Object(*row));
        Ok(true)
    }

    /// Stores the entity of a root field, where the batch returns all that the field's own
    /// connector returns. `entities` is how many entities of the fetch were in the batch.
    pub(super) fn store_field(
        &mut self,
        own: ConnectorFetch<'a>,
        substituted: &SubstitutedFetch<'a>,
        entities: usize,
        response: &SharedResponse,
    ) {
        let first = EntityIndex::new(0);
        let plan = self.cache.fetch_plan(own.id);
        let is_covered = plan.is_some_and(|plan| plan.is_covered_by_batch);
        let rule = self.cache.rule(own.id).filter(|_| entities > 0);
        let Some(rule) = rule.filter(|_| self.cache.has_claim(own.id, first)) else {
            self.cache.record_uncached(Reuse::Never);
            return;
        };
        let lifetimes = self.cache.lifetimes(rule, response);
        if !is_covered {
            self.cache.discard(own.id, &[first]);
            self.cache.record_uncached(lifetimes.present());
            return;
        }
        let mapped = self.mapped_values(substituted.fetch, None, response);
        let value = mapped.and_then(|mapped| mapped.get(EntityKey(&substituted.key)).cloned());
        let is_valid = (self.fetched_values(own.id)).is_valid(own.fetch, self.tree.root());
        let value = value.filter(|_| is_valid).map(CachedValue::Present);
        let reuse = self.cache.store(own.id, first, &lifetimes, value);
        self.trace_stored(own.id, first, reuse);
    }

    /// A row for each key that the response has an object for.
    fn rows_by_key<'k>(
        &mut self,
        fetch: ConnectorFetch<'a>,
        keys: impl Iterator<Item = EntityKey<'k>>,
        call: &BatchCall,
    ) -> Result<Vec<Option<Row>>, FetchError> {
        let shared = call.outcome.as_ref().map_err(Clone::clone)?;
        self.tree.check_body(&shared.response.body)?;
        let body = shared.body()?;
        let Some(mapping) = &fetch.client.key_mapping else {
            return Err(FetchError::NotAList); // Only batches are shared.
        };
        let mut vars = variables::vars(self.context, fetch, Phase::Response, &[], || Json::Null);
        source_client::set_response_vars(fetch.client, &shared.response, &mut vars);
        let value = body.value();
        source_client::check_success(fetch.connector, &shared.response, &value, &vars)?;
        self.warn_of_unread_body(fetch.client, shared);
        let list = || eval_mapping(mapping, &value, &vars).value;
        let index = shared.key_index(&fetch.client.batch_key, list);
        let index = index.ok_or(FetchError::NotAList)?;
        let positions: Vec<Option<usize>> = keys.map(|key| index.find(key)).collect();
        if positions.iter().all(Option::is_none) {
            self.warn_of_shared_keys(fetch.client, index, call);
        }
        let mut filler = RowFiller {
            body: self.tree.next_body(),
            tree: &mut self.tree,
            widths: &self.context.prepared.widths,
            vars: &vars,
            authored_errors: Vec::new(),
        };
        let rows = filler.objects_at(&fetch.program.extract, &value, &positions);
        drop((value, vars));
        if let ResponseBody::Json(json) = body {
            self.tree.add_body(Arc::clone(json));
        }
        self.tree.check_memory()?;
        rows.ok_or(FetchError::NotAList)
    }
}
