//! What a mutation changes for others, however it ends: calls and values that are under way may not
//! know of it, and what the graph says of it is invalid.
//!
//! When it has ended, before its client is answered: who writes and then reads, through whichever
//! replica, reads what was written. When its client goes away meanwhile, in the background.

use std::sync::Arc;

use schema::operation::{OperationKind, Variables};

use crate::batch::Loader;
use crate::cache::{Cache, Tag};
use crate::prepared::PreparedOperation;
use crate::settings::Caching;
use crate::tree::Tree;

/// An operation that is under way; of one that only reads nothing is told.
pub(super) struct MutationInvalidation<'a> {
    loader: Option<&'a Loader>,
    cache: Option<&'a Cache>,
    prepared: &'a PreparedOperation,
    variables: &'a Variables,
    is_finished: bool,
}

impl<'a> MutationInvalidation<'a> {
    pub(super) fn new(
        (loader, caching): (Option<&'a Arc<Loader>>, Option<&'a Caching>),
        (prepared, variables): (&'a PreparedOperation, &'a Variables),
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

    /// It has ended, and this is what it brought.
    pub(super) async fn finish(mut self, tree: &Tree) {
        self.bump_write_epoch();
        if let Some(cache) = self.cache {
            let selection = &self.prepared.selection;
            let rules = self.prepared.cache_plan.invalidation_rules.iter();
            let tags = rules.flat_map(|effect| effect.tags((selection, self.variables), tree));
            let tags: Vec<Tag> = tags.collect();
            if !tags.is_empty() {
                cache.invalidate(&tags).await;
            }
        }
        self.is_finished = true;
    }

    /// Nobody joins what was begun before.
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
            .flat_map(|effect| effect.tags_without_result(selection, self.variables))
            .collect();
        cache.invalidate_later(&tags);
    }
}
