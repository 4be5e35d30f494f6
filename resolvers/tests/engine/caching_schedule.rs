//! Random schedules for the cache model: reads, changes, invalidations and failures.

use proptest::prelude::*;
use resolvers::cache::{EntityKey, Target};
use serde_json::json;

use crate::caching_truth::{MINE, NAMES, NOTE, THINGS};

/// One event of a schedule.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Clients send operations at the same moment.
    Read(Vec<Read>),
    /// A client sends an operation, and its calls wait for `Finish`.
    Begin(Read),
    Finish,
    /// The data changes without an invalidation.
    Change(usize),
    /// A client changes a thing by a mutation.
    Mutate(usize),
    /// An invalidation, as of an operator.
    Invalidate(Invalidation),
    /// The clock advances by seconds.
    Pass(u64),
    /// The service fails from now on, or recovers.
    Down(bool),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    pub(crate) caller: usize,
    pub(crate) selection: Selection,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Selection {
    List(usize),
    Whole,
    Thing(usize),
    Mine(usize),
    Note,
}

/// The target of an invalidation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Invalidation {
    Thing(usize),
    Things,
    Mine,
    Roots,
    TagOfThing(usize),
    TagOfWhole,
    Subgraph,
    Everything,
}

/// The credentials of the callers; the first has none.
pub(crate) const CALLERS: [Option<&str>; 3] = [None, Some("ada"), Some("bob")];

impl Selection {
    pub(crate) fn query(self) -> String {
        match self {
            Self::List(first) => format!("{{ it: list(first: {first}) {{ name }} }}"),
            Self::Whole => "{ it: whole { name } }".to_owned(),
            Self::Thing(id) => format!("{{ it: thing(id: {id}) {{ name }} }}"),
            Self::Mine(first) => format!("{{ it: mine(first: {first}) {{ name }} }}"),
            Self::Note => "{ it: note { name } }".to_owned(),
        }
    }

    /// The expected names, in order.
    pub(crate) fn names(self) -> Vec<usize> {
        match self {
            Self::List(first) => (0..first).collect(),
            Self::Whole => (0..THINGS).collect(),
            Self::Thing(id) => vec![id - 1],
            Self::Mine(first) => (THINGS..THINGS + first).collect(),
            Self::Note => vec![NOTE],
        }
    }

    pub(crate) fn is_private(self) -> bool {
        matches!(self, Self::Mine(_) | Self::Note)
    }
}

impl Invalidation {
    pub(crate) fn target(self) -> Target {
        match self {
            Self::Thing(id) => Target::Entity {
                type_name: "Thing".to_owned(),
                key: EntityKey::from_json(&json!({ "id": id }).to_string()).unwrap(),
            },
            Self::Things => Target::Type("Thing".to_owned()),
            Self::Mine => Target::Type("Mine".to_owned()),
            Self::Roots => Target::Type("Query".to_owned()),
            Self::TagOfThing(id) => Target::Named(format!("thing-{id}")),
            Self::TagOfWhole => Target::Named("whole".to_owned()),
            Self::Subgraph => Target::Subgraph("g".to_owned()),
            Self::Everything => Target::Everything,
        }
    }

    /// Whether the target covers a name, cached as an entity or, with `in_whole`, as a part of
    /// `whole`.
    pub(crate) fn covers(self, name: usize, in_whole: bool) -> bool {
        match self {
            Self::Thing(id) => name == id - 1,
            Self::TagOfThing(id) => name == id - 1 && !in_whole,
            Self::TagOfWhole => name < THINGS && in_whole,
            Self::Things => name < THINGS,
            Self::Mine => (THINGS..THINGS + MINE).contains(&name),
            Self::Roots => name == NOTE || in_whole,
            Self::Subgraph | Self::Everything => true,
        }
    }
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let selection = prop_oneof![
        3 => (1..=THINGS).prop_map(Selection::List),
        2 => Just(Selection::Whole),
        2 => (1..=THINGS).prop_map(Selection::Thing),
        3 => (1..=MINE).prop_map(Selection::Mine),
        2 => Just(Selection::Note),
    ];
    let read =
        (0..CALLERS.len(), selection).prop_map(|(caller, selection)| Read { caller, selection });
    let invalidation = prop_oneof![
        3 => (1..=THINGS).prop_map(Invalidation::Thing),
        1 => Just(Invalidation::Things),
        1 => Just(Invalidation::Mine),
        1 => Just(Invalidation::Roots),
        1 => (1..=THINGS).prop_map(Invalidation::TagOfThing),
        1 => Just(Invalidation::TagOfWhole),
        1 => Just(Invalidation::Subgraph),
        1 => Just(Invalidation::Everything),
    ];
    let step = prop_oneof![
        8 => prop::collection::vec(read.clone(), 1..5).prop_map(Step::Read),
        3 => read.prop_map(Step::Begin),
        2 => Just(Step::Finish),
        4 => (0..NAMES).prop_map(Step::Change),
        1 => (1..=THINGS).prop_map(Step::Mutate),
        3 => invalidation.prop_map(Step::Invalidate),
        3 => (1..12_u64).prop_map(Step::Pass),
        1 => any::<bool>().prop_map(Step::Down),
    ];
    prop::collection::vec(step, 1..30)
}
