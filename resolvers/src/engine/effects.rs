//! What a mutation makes invalid in the cache, however it ends.
//!
//! When it has ended, before its client is answered: who writes and then reads, through whichever
//! replica, reads what was written. When its client goes away meanwhile, in the background.

use std::sync::Arc;

use schema::operation::{OperationKind, Variables};

use crate::cache::{Cache, Tag};
use crate::prepared::Prepared;
use crate::settings::Caching;
use crate::tree::Tree;

/// A mutation that is under way.
pub(super) struct Effects<'a> {
    cache: Option<&'a Cache>,
    prepared: &'a Arc<Prepared>,
    variables: &'a Variables,
    is_over: bool,
}

impl<'a> Effects<'a> {
    pub(super) fn of(
        caching: Option<&'a Caching>,
        prepared: &'a Arc<Prepared>,
        variables: &'a Variables,
    ) -> Self {
        let is_mutation = prepared.operation.kind == OperationKind::Mutation;
        Self {
            cache: caching
                .filter(|_| is_mutation)
                .map(|caching| &caching.cache),
            prepared,
            variables,
            is_over: false,
        }
    }

    /// It has ended, and this is what it brought.
    pub(super) async fn happened(mut self, tree: &Tree) {
        let Some(cache) = self.cache else { return };
        cache.written();
        let selection = &self.prepared.selection;
        let effects = self.prepared.kept.effects.iter();
        let tags = effects.flat_map(|effect| effect.tags((selection, self.variables), tree));
        let tags: Vec<Tag> = tags.collect();
        if !tags.is_empty() {
            cache.invalidate(&tags).await;
        }
        self.is_over = true;
    }
}

impl Drop for Effects<'_> {
    fn drop(&mut self) {
        let Some(cache) = self.cache.filter(|_| !self.is_over) else {
            return;
        };
        let selection = &self.prepared.selection;
        let effects = self.prepared.kept.effects.iter();
        let tags: Vec<Tag> = effects
            .flat_map(|effect| effect.all(selection, self.variables))
            .collect();
        cache.written();
        cache.invalidate_later(&tags);
    }
}
