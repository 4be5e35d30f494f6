//! Invalidation after a mutation, however it ends: calls in flight may have read the state before
//! it, and the values that the graph declares are invalid.
//!
//! It happens before the client gets its response, so that a client that writes and then reads,
//! through any replica, reads what it wrote; in the background when the client disconnects.

use std::sync::Arc;

use schema::operation::{OperationKind, Variables};

use crate::batch::Loader;
use crate::cache::{Cache, Tag};
use crate::prepared::PreparedOperation;
use crate::settings::Caching;
use crate::tree::Tree;

/// The invalidation of one operation; a query invalidates nothing.
pub(super) struct MutationInvalidation<'a> {
    loader: Option<&'a Loader>,
    cache: Option<&'a Cache>,
    prepared: &'a PreparedOperation,
    variables: &'a Variables,
    is_finished: bool,
}

impl<'a> MutationInvalidation<'a> {
    pub(super) fn new(
        loader: Option<&'a Arc<Loader>>,
        caching: Option<&'a Caching>,
        prepared: &'a PreparedOperation,
        variables: &'a Variables,
    ) -> Self {
        let is_mutation = prepared.operation.kind == OperationKind::Mutation;
        Self {
            loader: loader.map(AsRef::as_ref).filter(|_| is_mutation),
            cache: caching.map(|it| &it.cache).filter(|_| is_mutation),
            prepared,
            variables,
            is_finished: false,
        }
    }

    /// Invalidates after the execution; `tree` has its result.
    pub(super) async fn finish(mut self, tree: &Tree) {
        self.bump_write_epoch();
        if let Some(cache) = self.cache {
            let selection = &self.prepared.selection;
            let rules = self.prepared.cache_plan.invalidation_rules.iter();
            let tags = rules.flat_map(|rule| rule.tags(selection, self.variables, tree));
            let tags: Vec<Tag> = tags.collect();
            if !tags.is_empty() {
                cache.invalidate(&tags).await;
            }
        }
        self.is_finished = true;
    }

    /// Prevents operations from joining calls that began before the mutation.
    fn bump_write_epoch(&self) {
        if let Some(loader) = self.loader {
            loader.bump_write_epoch();
        }
        if let Some(cache) = self.cache {
            cache.bump_write_epoch();
        }
    }
}

impl Drop for MutationInvalidation<'_> {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        self.bump_write_epoch();
        let Some(cache) = self.cache else { return };
        let selection = &self.prepared.selection;
        let rules = self.prepared.cache_plan.invalidation_rules.iter();
        let tags: Vec<Tag> = rules
            .flat_map(|rule| rule.tags_without_result(selection, self.variables))
            .collect();
        cache.invalidate_later(&tags);
    }
}
