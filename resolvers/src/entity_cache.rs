//! The entity cache of an operation: which entities a fetch looks up, what is stored of a
//! response, what a failed call falls back to, and what is refreshed in the background.
//!
//! The only module that knows both plans and the cache. `compile` derives the rules of a plan
//! once; an execution uses four verbs of [`EntityCache`]: `lookup`, `store`, `fallback` and
//! `refresh`. It writes no tree and makes no call: the executor does, and hands it values.

use std::sync::Arc;

use http::HeaderMap;
use schema::operation::Variables;

pub(crate) use self::lifetimes::{Lifetimes, WaiterSharing};
pub(crate) use self::lookup::{LookupEntity, SortedLookups};
pub(crate) use self::refresh::{RefreshedValues, StaleEntity};
pub(crate) use self::rules::{CachePlan, CacheRule, FetchCachePlan};
use crate::cache::{Cache, CachedValue, Claim, Dependencies, Hit, Moment, Reuse};
use crate::entity_key::EntityIndex;
use crate::plan::FetchId;
use crate::source_client::shared_response::SharedResponse;

mod backoff;
pub(crate) mod compile;
mod contents;
mod keys;
mod lifetimes;
mod lookup;
pub(crate) mod mutation;
mod refresh;
pub(crate) mod response;
mod rules;
pub(crate) mod superset;
mod tags;

/// The cache as one execution uses it: its claims, and how long its response may be reused.
#[derive(Debug)]
pub(crate) struct EntityCache<'a> {
    /// `None` without a cache, and for mutations.
    cache: Option<&'a Cache>,
    plan: &'a Arc<CachePlan>,
    client_headers: &'a HeaderMap,
    variables: &'a Variables,
    waiter_sharing: WaiterSharing,
    /// By fetch and entity: the right to fetch the entity, and the duty to report the outcome.
    claims: Vec<Vec<Option<Claim>>>,
    /// The reuse of the response, as far as its parts are known.
    reuse: Option<Reuse>,
    /// What the response depends on; `None` if it will not be cached as a whole.
    dependencies: Option<Dependencies>,
}

impl<'a> EntityCache<'a> {
    /// The cache for a request with these headers and variables.
    pub(crate) fn new(
        cache: Option<&'a Cache>,
        plan: &'a Arc<CachePlan>,
        client_headers: &'a HeaderMap,
        variables: &'a Variables,
        waiter_sharing: WaiterSharing,
    ) -> Self {
        Self {
            cache,
            plan,
            client_headers,
            variables,
            waiter_sharing,
            claims: Vec::new(),
            reuse: None,
            dependencies: None,
        }
    }

    /// Records what the response depends on, so that it can be cached as a whole.
    pub(crate) fn with_dependencies(self) -> Self {
        let dependencies = Some(Dependencies::default());
        Self {
            dependencies,
            ..self
        }
    }

    /// The moment at which ages are counted; the beginning of time without a cache.
    pub(crate) fn now(&self) -> Moment {
        self.cache.map_or(Moment(0), Cache::now)
    }

    /// The rules of a fetch; `None` where nothing of it is cached.
    pub(crate) fn fetch_plan(&self, fetch: FetchId) -> Option<&'a FetchCachePlan> {
        self.cache?;
        self.plan.fetch(fetch)
    }

    /// The rule of a connector's fetch, or of the first kind of a subgraph's fetch.
    pub(crate) fn rule(&self, fetch: FetchId) -> Option<&'a CacheRule> {
        self.fetch_plan(fetch)?.rules.first()
    }

    /// How long values of this response may be cached under a rule.
    pub(crate) fn lifetimes(
        &self,
        rule: &'a CacheRule,
        response: &SharedResponse,
    ) -> Lifetimes<'a> {
        Lifetimes::new(rule, self.client_headers, self.waiter_sharing, response)
    }

    /// Whether any value for these entities will be used: stored, or passed on to operations that
    /// wait for it.
    pub(crate) fn needs_values(
        &self,
        fetch: FetchId,
        entities: &[EntityIndex],
        lifetimes: &Lifetimes<'_>,
    ) -> bool {
        let claims = self.claims.get(fetch.index());
        let mut claims = entities
            .iter()
            .filter_map(|entity| claims?.get(entity.index())?.as_ref());
        lifetimes.is_cacheable() || claims.any(Claim::has_followers)
    }

    /// Stores the value of an entity, `None` being one that is unknown; without a claim nothing is
    /// stored. Returns the reuse that the response has because of it; `None` without a claim.
    pub(crate) fn store(
        &mut self,
        fetch: FetchId,
        entity: EntityIndex,
        lifetimes: &Lifetimes<'_>,
        value: Option<CachedValue>,
    ) -> Option<Reuse> {
        let Some(claim) = self.take_claim(fetch, entity) else {
            self.record_uncached(Reuse::Never);
            return None;
        };
        let (reuse, part) = lifetimes.store(claim, value);
        if let Some(cache) = self.cache {
            lifetimes.rule.record_reuse(reuse, cache.now());
        }
        match (part, &mut self.dependencies) {
            (Some(part), Some(dependencies)) => dependencies.add_stored(&part),
            (Some(_), None) => {}
            (None, _) => self.dependencies = None,
        }
        self.narrow_reuse(reuse);
        Some(reuse)
    }

    /// Gives the claim of an entity up, its fetch having failed; returns the stale value that may
    /// be served in its place, which requires that the source is at fault.
    pub(crate) fn fallback(
        &mut self,
        fetch: FetchId,
        entity: EntityIndex,
        is_source_failure: bool,
    ) -> Option<Hit> {
        let claim = self.take_claim(fetch, entity)?;
        let hit = claim.stale_fallback().filter(|_| is_source_failure);
        let hit = hit.cloned();
        claim.fail();
        hit
    }

    /// Gives claims up without a value: the response was incomplete, so others fetch themselves.
    pub(crate) fn discard(&mut self, fetch: FetchId, entities: &[EntityIndex]) {
        for entity in entities {
            if let Some(claim) = self.take_claim(fetch, *entity) {
                claim.fail();
            }
        }
    }

    /// Takes claims over until the entities are fetched; returns those entities.
    pub(crate) fn hold(
        &mut self,
        fetch: FetchId,
        claims: impl IntoIterator<Item = (EntityIndex, Claim)>,
    ) -> Vec<EntityIndex> {
        if self.claims.len() <= fetch.index() {
            self.claims.resize_with(fetch.index() + 1, Vec::new);
        }
        let held = &mut self.claims[fetch.index()];
        let mut entities = Vec::new();
        for (entity, claim) in claims {
            if held.len() <= entity.index() {
                held.resize_with(entity.index() + 1, || None);
            }
            held[entity.index()] = Some(claim);
            entities.push(entity);
        }
        entities
    }

    /// Whether the execution holds the claim of an entity.
    pub(crate) fn has_claim(&self, fetch: FetchId, entity: EntityIndex) -> bool {
        let claims = self.claims.get(fetch.index());
        let claim = claims.and_then(|claims| claims.get(entity.index()));
        claim.is_some_and(Option::is_some)
    }

    fn take_claim(&mut self, fetch: FetchId, entity: EntityIndex) -> Option<Claim> {
        let claims = self.claims.get_mut(fetch.index())?;
        claims.get_mut(entity.index())?.take()
    }

    /// Records a part of the response that is not cached, and its reuse.
    pub(crate) fn record_uncached(&mut self, reuse: Reuse) {
        self.dependencies = None;
        self.narrow_reuse(reuse);
    }

    /// Records a part that came from the cache.
    pub(crate) fn record_hit(&mut self, hit: &Hit) {
        if let Some(dependencies) = &mut self.dependencies {
            dependencies.add_hit(hit);
        }
        if let Some(cache) = self.cache {
            self.narrow_reuse(hit.entry().reuse(cache.now()));
        }
    }

    /// The response has the shortest and most private reuse of its parts.
    fn narrow_reuse(&mut self, reuse: Reuse) {
        self.reuse = Some(self.reuse.map_or(reuse, |known| known.and(reuse)));
    }

    /// The reuse of the whole response, `None` where nothing was fetched, and what it depends on,
    /// `None` where a part of it is not cached.
    pub(crate) fn into_reuse(self) -> (Option<Reuse>, Option<Dependencies>) {
        (self.reuse, self.dependencies)
    }
}
