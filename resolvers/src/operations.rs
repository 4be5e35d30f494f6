//! The cache of parsed operations and their plans. It is bounded by number and by bytes; the least
//! recently used are evicted first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use schema::graph::Graph;
use schema::operation::{Operation, Variables};

use self::preparation::Preparations;
use crate::entity_cache::superset::SelectionIndex;
use crate::error::RequestError;
use crate::plan_variant::{Overrides, PlanVariant, VariantInputs};
use crate::prepared::{ParsedOperation, PreparedOperation, request_errors};
use crate::settings::Settings;
use crate::source_client::Sources;

mod preparation;

/// The operations of one graph.
#[derive(Debug)]
pub(crate) struct Operations {
    graph: Arc<Graph>,
    settings: Arc<Settings>,
    sources: Arc<Sources>,
    /// Finds cached values with larger selections.
    selection_index: SelectionIndex,
    preparations: Arc<Preparations<OwnedKey, CachedOperation>>,
    cached: Cache<OwnedKey, WeighedOperation, ByWeight>,
    /// Minimum weight of an operation, which bounds their number.
    min_weight: u64,
    overrides: Overrides,
    incomplete_plans: AtomicU64,
}

/// A parsed operation and its plans.
#[derive(Debug)]
pub(crate) struct CachedOperation {
    key: OwnedKey,
    pub(crate) parsed: ParsedOperation,
    variant_inputs: VariantInputs,
    plans: PlanCache,
}

/// The plans of one operation.
#[derive(Debug)]
enum PlanCache {
    /// One plan serves all requests.
    One(OnceLock<Arc<PreparedOperation>>),
    Several(Cache<PlanVariant, Arc<PreparedOperation>>),
}

/// A cached operation with the bytes that it had when it was cached.
#[derive(Clone, Debug)]
struct WeighedOperation {
    operation: Arc<CachedOperation>,
    weight: u64,
}

#[derive(Clone, Debug)]
struct ByWeight;

impl Weighter<OwnedKey, WeighedOperation> for ByWeight {
    fn weight(&self, _: &OwnedKey, operation: &WeighedOperation) -> u64 {
        operation.weight
    }
}

/// What the cache of operations holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationCacheUsage {
    /// Estimated bytes.
    pub bytes: u64,
    /// Number of operations.
    pub operations: usize,
}

/// Maximum cached plans of one operation.
const MAX_PLANS: usize = 16;

/// Maximum bytes of a document without fragments that is prepared on a thread of the runtime:
/// that takes no longer than passing it to another thread, and back.
const SMALL_DOCUMENT: usize = 512;

/// Maximum bytes of the JSON of variables that are coerced on a thread of the runtime, which takes
/// well below a millisecond.
const SMALL_VARIABLES: usize = 8 * 1024;

/// Whether a document has so few selections that preparing it holds no other request up.
fn is_small(query: &str) -> bool {
    query.len() <= SMALL_DOCUMENT && !query.contains("...")
}

/// Number of threads that prepare operations: one core is left for requests.
fn threads() -> usize {
    let cores = std::thread::available_parallelism();
    cores.map_or(1, |cores| cores.get().saturating_sub(1).max(1))
}

/// Number of parts of the cache; an operation must fit into one.
const SHARDS: usize = 4;

#[expect(
    clippy::expect_used,
    reason = "the builder fails only without a number and a weight"
)]
fn cache(settings: &Settings) -> Cache<OwnedKey, WeighedOperation, ByWeight> {
    let count = settings.prepared_operations.get();
    let options = OptionsBuilder::new()
        .shards(SHARDS)
        .estimated_items_capacity(count)
        .weight_capacity(settings.operation_cache_size as u64)
        .build()
        .expect("number and weight are set");
    Cache::with_options(
        options,
        ByWeight,
        DefaultHashBuilder::default(),
        DefaultLifecycle::default(),
    )
}

impl Operations {
    pub(crate) fn new(graph: Arc<Graph>, settings: Arc<Settings>, sources: Arc<Sources>) -> Self {
        let bytes = settings.operation_cache_size as u64;
        let count = settings.prepared_operations.get() as u64;
        Self {
            cached: cache(&settings),
            // A single operation of all bytes would not be cached.
            min_weight: (bytes / count).min(bytes / 20 * 19),
            overrides: Overrides::new(&graph, &settings),
            incomplete_plans: AtomicU64::new(0),
            preparations: Arc::new(Preparations::new(threads(), settings.prepare_timeout)),
            selection_index: SelectionIndex::default(),
            graph,
            settings,
            sources,
        }
    }

    /// How many plans are incomplete because the planning budget was spent.
    pub(crate) fn incomplete_plans(&self) -> u64 {
        self.incomplete_plans.load(Ordering::Relaxed)
    }

    /// The operation of a document, parsed and validated: at once if the document is small, else
    /// beside the runtime, and planned too.
    pub(crate) async fn read(
        self: &Arc<Self>,
        query: &str,
        operation: Option<&str>,
    ) -> Result<Arc<CachedOperation>, Vec<RequestError>> {
        let key = Key { query, operation };
        if let Some(cached) = self.cached.get(&key) {
            return Ok(cached.operation);
        }
        if is_small(query) {
            return self.parse(key.owned());
        }
        let (own, key) = (Arc::clone(self), key.owned());
        let work = {
            let key = key.clone();
            move || {
                let cached = own.parse(key)?;
                if cached.variant_inputs.is_empty() {
                    own.plan(&cached, PlanVariant::default())?;
                }
                Ok(cached)
            }
        };
        self.preparations.once(key, work).await
    }

    /// The operation of a document, parsed and validated at once.
    pub(crate) fn read_blocking(
        &self,
        query: &str,
        operation: Option<&str>,
    ) -> Result<Arc<CachedOperation>, Vec<RequestError>> {
        let key = Key { query, operation };
        match self.cached.get(&key) {
            Some(cached) => Ok(cached.operation),
            None => self.parse(key.owned()),
        }
    }

    fn parse(&self, key: OwnedKey) -> Result<Arc<CachedOperation>, Vec<RequestError>> {
        let OwnedKey { query, operation } = &key;
        let operation = operation.as_deref();
        let parsed = ParsedOperation::parse(&self.graph, &self.settings, query, operation)?;
        let cached = Arc::new(CachedOperation::new(key, parsed, &self.graph));
        self.cache(&cached);
        Ok(cached)
    }

    /// The coerced variables of a request: at once if their JSON is small, else beside the runtime.
    pub(crate) async fn coerce_variables(
        self: &Arc<Self>,
        cached: &Arc<CachedOperation>,
        json: Option<&str>,
    ) -> Result<Variables, Vec<RequestError>> {
        let Some(json) = json.filter(|json| json.len() > SMALL_VARIABLES) else {
            let operation = cached.operation();
            let variables = operation.coerce_variables(&self.graph, json);
            return variables.map_err(request_errors);
        };
        let (own, cached, json) = (Arc::clone(self), Arc::clone(cached), json.to_owned());
        let work = move || {
            let operation = cached.operation();
            operation.coerce_variables(&own.graph, Some(&json))
        };
        self.off_runtime(work).await?.map_err(request_errors)
    }

    /// Does work of an operation beside the runtime, with the threads that prepare operations.
    pub(crate) async fn off_runtime<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Vec<RequestError>> {
        self.preparations.run(work).await
    }

    /// Caches an operation with the bytes that it has now.
    fn cache(&self, operation: &Arc<CachedOperation>) {
        let weighed = WeighedOperation {
            operation: Arc::clone(operation),
            weight: (operation.size() as u64).max(self.min_weight),
        };
        self.cached.insert(operation.key.clone(), weighed);
    }

    /// How much the cache holds.
    pub(crate) fn usage(&self) -> OperationCacheUsage {
        OperationCacheUsage {
            bytes: self.cached.weight(),
            operations: self.cached.len(),
        }
    }

    /// The prepared operation for a request with these variables.
    pub(crate) async fn prepare(
        self: &Arc<Self>,
        cached: &Arc<CachedOperation>,
        variables: &Variables,
    ) -> Result<Arc<PreparedOperation>, Vec<RequestError>> {
        let variant = if cached.variant_inputs.is_empty() {
            PlanVariant::default()
        } else {
            cached.variant_inputs.variant(&self.overrides, variables)
        };
        if let Some(known) = cached.plans.get(&variant) {
            return Ok(known);
        }
        if is_small(&cached.key.query) {
            return self.plan(cached, variant);
        }
        let (own, cached) = (Arc::clone(self), Arc::clone(cached));
        self.off_runtime(move || own.plan(&cached, variant)).await?
    }

    /// The prepared operation without a request, and a description of the variant that it is for.
    pub(crate) fn default_variant(
        &self,
        cached: &Arc<CachedOperation>,
    ) -> Result<(Arc<PreparedOperation>, String), Vec<RequestError>> {
        let variant = cached.variant_inputs.default_variant(&self.overrides);
        let text = cached.variant_inputs.describe(&variant, &self.graph);
        Ok((self.plan(cached, variant)?, text))
    }

    fn plan(
        &self,
        cached: &Arc<CachedOperation>,
        variant: PlanVariant,
    ) -> Result<Arc<PreparedOperation>, Vec<RequestError>> {
        if let Some(known) = cached.plans.get(&variant) {
            return Ok(known);
        }
        let prepared = PreparedOperation::new(&self.graph, &cached.parsed, &variant)?;
        let prepared = match &self.settings.caching {
            Some(caching) => {
                let context = (&*self.sources, caching);
                prepared.with_cache_plan(&cached.parsed, context, &self.selection_index)
            }
            None => prepared,
        };
        if !prepared.plan.is_complete {
            self.incomplete_plans.fetch_add(1, Ordering::Relaxed);
        }
        let prepared = Arc::new(prepared);
        cached.plans.insert(variant, &prepared);
        self.cache(cached);
        Ok(prepared)
    }
}

impl CachedOperation {
    fn new(key: OwnedKey, parsed: ParsedOperation, graph: &Graph) -> Self {
        let variant_inputs = VariantInputs::new(&parsed.operation, graph);
        Self {
            plans: if variant_inputs.is_empty() {
                PlanCache::One(OnceLock::new())
            } else {
                PlanCache::Several(Cache::new(MAX_PLANS))
            },
            key,
            parsed,
            variant_inputs,
        }
    }

    /// Estimated bytes of the operation with its plans.
    fn size(&self) -> usize {
        self.parsed.size + self.plans.size()
    }

    pub(crate) fn operation(&self) -> &Operation {
        &self.parsed.operation
    }
}

impl PlanCache {
    fn get(&self, variant: &PlanVariant) -> Option<Arc<PreparedOperation>> {
        match self {
            Self::One(plan) => plan.get().cloned(),
            Self::Several(plans) => plans.get(variant),
        }
    }

    /// Estimated bytes of the plans.
    fn size(&self) -> usize {
        match self {
            Self::One(plan) => plan.get().map_or(0, |plan| plan.size),
            Self::Several(plans) => plans.iter().map(|(_, plan)| plan.size).sum(),
        }
    }

    fn insert(&self, variant: PlanVariant, prepared: &Arc<PreparedOperation>) {
        let prepared = Arc::clone(prepared);
        match self {
            // A concurrent request may have been faster; both plans are equal.
            Self::One(plan) => drop(plan.set(prepared)),
            Self::Several(plans) => plans.insert(variant, prepared),
        }
    }
}

/// The key of a parsed operation, borrowed for lookups.
#[derive(Hash, PartialEq, Eq)]
struct Key<'a> {
    query: &'a str,
    operation: Option<&'a str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct OwnedKey {
    query: Arc<str>,
    operation: Option<Arc<str>>,
}

impl Key<'_> {
    fn owned(&self) -> OwnedKey {
        OwnedKey {
            query: self.query.into(),
            operation: self.operation.map(Into::into),
        }
    }
}

impl quick_cache::Equivalent<OwnedKey> for Key<'_> {
    fn equivalent(&self, key: &OwnedKey) -> bool {
        *self.query == *key.query && self.operation == key.operation.as_deref()
    }
}
