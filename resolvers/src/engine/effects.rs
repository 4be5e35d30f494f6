//! What a mutation changes for others, however it ends: calls and values that are under way may not
//! know of it, and what the graph says of it is invalid.
//!
//! When it has ended, before its client is answered: who writes and then reads, through whichever
//! replica, reads what was written. When its client goes away meanwhile, in the background.

use std::sync::Arc;

use schema::operation::{OperationKind, Variables};

use crate::batch::Loader;
use crate::cache::{Cache, Tag};
use crate::prepared::Prepared;
use crate::settings::Caching;
use crate::tree::Tree;

/// An operation that is under way; of one that only reads nothing is told.
pub(super) struct Effects<'a> {
    loader: Option<&'a Loader>,
    cache: Option<&'a Cache>,
    prepared: &'a Prepared,
    variables: &'a Variables,
    is_over: bool,
}

impl<'a> Effects<'a> {
    pub(super) fn of(
        (loader, caching): (Option<&'a Arc<Loader>>, Option<&'a Caching>),
        (prepared, variables): (&'a Prepared, &'a Variables),
    ) -> Self {
        let writes = prepared.operation.kind == OperationKind::Mutation;
        Self {
            loader: loader.map(AsRef::as_ref).filter(|_| writes),
            cache: caching.map(|it| &it.cache).filter(|_| writes),
            prepared,
            variables,
            is_over: false,
        }
    }

    /// It has ended, and this is what it brought.
    pub(super) async fn happened(mut self, tree: &Tree) {
        self.written();
        if let Some(cache) = self.cache {
            let selection = &self.prepared.selection;
            let effects = self.prepared.kept.effects.iter();
            let tags = effects.flat_map(|effect| effect.tags((selection, self.variables), tree));
            let tags: Vec<Tag> = tags.collect();
            if !tags.is_empty() {
                cache.invalidate(&tags).await;
            }
        }
        self.is_over = true;
    }

    /// Nobody joins what was begun before.
    fn written(&self) {
        if let Some(loader) = self.loader {
            loader.written();
        }
        if let Some(cache) = self.cache {
            cache.written();
        }
    }
}

impl Drop for Effects<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.written();
        let Some(cache) = self.cache else { return };
        let selection = &self.prepared.selection;
        let effects = self.prepared.kept.effects.iter();
        let tags: Vec<Tag> = effects
            .flat_map(|effect| effect.all(selection, self.variables))
            .collect();
        cache.invalidate_later(&tags);
    }
}
