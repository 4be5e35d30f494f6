//! The operations that were read, and the plans made of each. Both are bounded; what was used
//! least recently goes first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use quick_cache::sync::Cache;
use schema::graph::Graph;
use schema::operation::{Operation, Variables};

use crate::decided::{Decided, Deciding, Overrides};
use crate::error::RequestError;
use crate::fetch::Sources;
use crate::keep::wider::Selections;
use crate::prepared::{Asked, Prepared};
use crate::settings::Settings;

/// What operations are read and planned with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planning<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) settings: &'a Settings,
    pub(crate) sources: &'a Sources,
    /// What is asked of services, for finding what is kept of it.
    pub(crate) selections: &'a Selections,
}

/// Those over one graph.
#[derive(Debug)]
pub(crate) struct Operations {
    read: Cache<OwnedKey, Arc<Read>>,
    overrides: Overrides,
    incomplete: AtomicU64,
}

/// An operation that was read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) asked: Asked,
    deciding: Deciding,
    plans: Plans,
}

/// The plans of one operation.
#[derive(Debug)]
enum Plans {
    /// All requests are planned alike.
    One(OnceLock<Arc<Prepared>>),
    Several(Cache<Decided, Arc<Prepared>>),
}

/// Of one operation: more are made when they are asked for again.
const MOST_PLANS: usize = 16;

impl Operations {
    pub(crate) fn new(graph: &Graph, settings: &Settings) -> Self {
        Self {
            read: Cache::new(settings.prepared_operations.get()),
            overrides: Overrides::of(graph, settings),
            incomplete: AtomicU64::new(0),
        }
    }

    /// How many plans were cut short by the budget of planning.
    pub(crate) fn incomplete(&self) -> u64 {
        self.incomplete.load(Ordering::Relaxed)
    }

    /// The operation of a document, read and validated.
    pub(crate) fn read(
        &self,
        planning: &Planning<'_>,
        query: &str,
        operation: Option<&str>,
    ) -> Result<Arc<Read>, Vec<RequestError>> {
        let key = Key { query, operation };
        if let Some(read) = self.read.get(&key) {
            return Ok(read);
        }
        let asked = Asked::read(planning.graph, planning.settings, query, operation)?;
        let read = Arc::new(Read::new(asked, planning.graph));
        self.read.insert(key.owned(), Arc::clone(&read));
        Ok(read)
    }

    /// The plan for a request with these variables.
    pub(crate) fn prepare(
        &self,
        planning: &Planning<'_>,
        read: &Read,
        variables: &Variables,
    ) -> Result<Arc<Prepared>, Vec<RequestError>> {
        if read.deciding.is_nothing() {
            return self.planned(planning, read, Decided::default());
        }
        let decided = read.deciding.by(&self.overrides, variables);
        self.planned(planning, read, decided)
    }

    /// The plan where nothing of a request is known, and what it holds for.
    pub(crate) fn usual(
        &self,
        planning: &Planning<'_>,
        read: &Read,
    ) -> Result<(Arc<Prepared>, String), Vec<RequestError>> {
        let decided = read.deciding.usually(&self.overrides);
        let text = read.deciding.describe(&decided, planning.graph);
        Ok((self.planned(planning, read, decided)?, text))
    }

    fn planned(
        &self,
        planning: &Planning<'_>,
        read: &Read,
        decided: Decided,
    ) -> Result<Arc<Prepared>, Vec<RequestError>> {
        if let Some(known) = read.plans.get(&decided) {
            return Ok(known);
        }
        let prepared = Prepared::new(planning.graph, &read.asked, &decided)?;
        let prepared = match &planning.settings.caching {
            Some(caching) => prepared.kept_by(planning.sources, (caching, planning.selections)),
            None => prepared,
        };
        if !prepared.plan.is_complete {
            self.incomplete.fetch_add(1, Ordering::Relaxed);
        }
        let prepared = Arc::new(prepared);
        read.plans.keep(decided, &prepared);
        Ok(prepared)
    }
}

impl Read {
    fn new(asked: Asked, graph: &Graph) -> Self {
        let deciding = Deciding::of(&asked.operation, graph);
        Self {
            plans: if deciding.is_nothing() {
                Plans::One(OnceLock::new())
            } else {
                Plans::Several(Cache::new(MOST_PLANS))
            },
            asked,
            deciding,
        }
    }

    pub(crate) fn operation(&self) -> &Operation {
        &self.asked.operation
    }
}

impl Plans {
    fn get(&self, decided: &Decided) -> Option<Arc<Prepared>> {
        match self {
            Self::One(plan) => plan.get().cloned(),
            Self::Several(plans) => plans.get(decided),
        }
    }

    fn keep(&self, decided: Decided, prepared: &Arc<Prepared>) {
        let prepared = Arc::clone(prepared);
        match self {
            // Another request may have been quicker; both plans are the same.
            Self::One(plan) => drop(plan.set(prepared)),
            Self::Several(plans) => plans.insert(decided, prepared),
        }
    }
}

/// A document and the operation of it, borrowed for looking up.
#[derive(Hash, PartialEq, Eq)]
struct Key<'a> {
    query: &'a str,
    operation: Option<&'a str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct OwnedKey {
    query: Box<str>,
    operation: Option<Box<str>>,
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
