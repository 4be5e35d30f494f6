//! Whether every field that clients see can be had wherever they can ask for it.
//!
//! Walks from the roots over places: a type, with everything that sources can give of an object
//! found there, keys followed. A place that offers no less than one that was looked at needs no
//! second look, so the walk ends. A field of connectors alone that is missing at some place is a
//! warning: which object has which fields is often known to who calls a REST service.

use std::collections::{HashMap, HashSet, VecDeque};

use apollo_compiler::Schema;

use self::offers::{At, Offers};
use super::compose::part::{Part, fields};
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::source::{Objects, Source};
use crate::types::{Name, TypeId, Types};

mod contexts;
mod offers;
mod report;

/// What the walk looks at.
pub(super) struct Reach<'a> {
    pub(super) types: &'a Types,
    pub(super) sources: &'a [Source],
    /// What clients see.
    pub(super) client: &'a Schema,
    /// For the places of what is reported.
    pub(super) parts: &'a [Part<'a>],
}

/// Reports fields that cannot be reached, each once.
pub(super) fn check(reach: &Reach<'_>, problems: &mut Problems) {
    contexts::check(reach, problems);
    let mut walk = Walk {
        reach,
        offers: Offers::new(reach.types, reach.sources),
        seen: HashMap::new(),
        queue: VecDeque::new(),
        reported: HashSet::new(),
    };
    let roots = [reach.types.query(), reach.types.mutation()];
    for root in roots.into_iter().flatten() {
        let name = reach.types.get(root).name.to_string();
        walk.enter(root, &[], &name, problems);
    }
    let mut left = MOST_PLACES + reach.types.iter().len() * MOST_PLACES_OF_A_TYPE;
    while let Some(place) = walk.queue.pop_front() {
        walk.object(&place, problems);
        left -= 1;
        if left == 0 || walk.offers.is_exhausted() {
            let message = "the graph is too entangled for every place to be looked at";
            let mut warning = Diagnostic::unplaced(Code::SatisfiabilityError, message);
            warning.severity = Severity::Warning;
            problems.push(warning);
            break;
        }
    }
}

/// Many times what graphs have, and some seconds' worth.
const MOST_PLACES: usize = 10_000;

/// The same, for each type.
const MOST_PLACES_OF_A_TYPE: usize = 20;

/// Objects of one type, somewhere in an answer.
struct Place {
    ty: TypeId,
    /// What sources give of them, sorted.
    given: Vec<At>,
    /// A way there, as people read it: `Query.orders.buyer`.
    path: String,
}

struct Walk<'a> {
    reach: &'a Reach<'a>,
    offers: Offers<'a>,
    /// Places that were or will be looked at, by type.
    seen: HashMap<TypeId, Vec<Vec<At>>>,
    queue: VecDeque<Place>,
    reported: HashSet<(TypeId, Name)>,
}

impl Walk<'_> {
    /// Objects that `given` give, of type `ty`, which may be abstract.
    fn enter(&mut self, ty: TypeId, given: &[At], path: &str, problems: &mut Problems) {
        let types = self.reach.types;
        let all = self.offers.followed(ty, given);
        if !types.get(ty).is_abstract() {
            return self.add(ty, all, path);
        }
        let several = |at: &At| match &self.offers.node(*at).objects {
            Objects::Several(objects) => objects.keys().copied().collect(),
            Objects::One | Objects::Untold => Vec::new(),
        };
        let untold = |at: &At| matches!(self.offers.node(*at).objects, Objects::Untold);
        // Where a source does not know the type of what it gives, another is asked by key.
        let told_by = if given.iter().any(untold) {
            &*all
        } else {
            given
        };
        let mut objects: Vec<TypeId> = told_by.iter().flat_map(several).collect();
        objects.sort_unstable();
        objects.dedup();
        if objects.is_empty() && !given.iter().all(|at| !untold(at)) {
            let is_told = all.iter().any(|at| !untold(at));
            if !is_told && !types.get(ty).possible.is_empty() {
                self.report_untold(ty, path, problems);
            }
        }
        for object in objects {
            let of_object: Vec<At> = all
                .iter()
                .filter_map(|at| self.offers.of_object(*at, object))
                .collect();
            let all = self.offers.followed(object, &of_object);
            self.add(object, all, path);
        }
    }

    fn add(&mut self, ty: TypeId, given: Vec<At>, path: &str) {
        let seen = self.seen.entry(ty).or_default();
        let is_less = |known: &Vec<At>| known.iter().all(|at| given.binary_search(at).is_ok());
        if seen.iter().any(is_less) {
            return;
        }
        seen.push(given.clone());
        self.queue.push_back(Place {
            ty,
            given,
            path: path.to_owned(),
        });
    }

    fn object(&mut self, place: &Place, problems: &mut Problems) {
        let types = self.reach.types;
        let ty = types.get(place.ty);
        let mut unreachable = Vec::new();
        for (name, field) in ty.fields().into_iter().flatten() {
            if !self.is_visible(&ty.name, name) {
                continue;
            }
            let children = self.offers.field((place.ty, &place.given), name);
            if children.is_none() && self.reported.insert((place.ty, Name::clone(name))) {
                unreachable.push(Name::clone(name));
            }
            let named = field.ty.named();
            if let Some(children) = children.filter(|it| !it.is_empty()) {
                let path = if place.path.matches('.').count() < LONGEST_PATH {
                    format!("{}.{name}", place.path)
                } else {
                    format!("{}.{name}", ty.name)
                };
                self.enter(named, &children, &path, problems);
            }
        }
        if self.offers.is_exhausted() {
            return;
        }
        report::unreachable(self.reach, &self.offers, (place, &unreachable), problems);
    }

    fn is_visible(&self, ty: &str, field: &str) -> bool {
        let definition = self.reach.client.types.get(ty);
        let seen = definition.and_then(fields);
        // A graph of mutations alone has queries that nobody wrote.
        seen.is_some_and(|it| it.contains_key(field))
            && self.reach.parts.iter().any(|part| part.get(ty).is_some())
    }

    fn report_untold(&mut self, ty: TypeId, path: &str, problems: &mut Problems) {
        if self.reported.insert((ty, "__typename".into())) {
            problems.push(report::untold(self.reach, ty, path));
        }
    }
}

/// A way that is longer is told from its last type on.
const LONGEST_PATH: usize = 8;
