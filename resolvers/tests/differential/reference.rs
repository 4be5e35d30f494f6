//! The answer over the unsplit data, with the same faults as the services have: GraphQL §6.4.4 by
//! `executor`, and what a failed call costs by `reference::ways`.
//!
//! Where two plans may call different subgraphs for a field, and only one of them fails, both
//! answers are right: the reference then does as the response does. Everything else is exact.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use apollo_compiler::response::{JsonMap, JsonValue};

use self::ways::Way;
use crate::data::{Data, Failed, Thing, Value};
use crate::executor::{FieldCall, Path, Resolved, Resolver, Step};
use crate::fault::SharedFaults;
use crate::model::{Name, Pick};

mod ways;

/// A response, as far as the reference follows it.
pub(crate) struct Actual {
    pub(crate) data: JsonValue,
    pub(crate) errors: HashSet<Path>,
}

/// The unsplit graph.
pub(crate) struct Reference<'a> {
    pub(crate) data: &'a Data,
    faults: SharedFaults,
    actual: &'a Actual,
    /// The root fields of a mutation that ran, in their order; `None` if plans may differ in it.
    pub(crate) changes: Option<Vec<String>>,
    /// Whether the response could not be followed: nothing is compared.
    pub(crate) is_unclear: bool,
    /// Whether one of the ways of an input fails.
    input_may_fail: bool,
    /// Number of values that one call gave where another one may have failed: if this was to give
    /// nothing more, its error has no path.
    pub(crate) spared: usize,
}

/// An object, and the subgraphs that may have given it.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    thing: Thing,
    holders: Vec<Holder>,
    /// The objects above that give arguments, the nearest last.
    ancestors: Vec<Rc<Self>>,
}

/// Where the objects of a field come from.
#[derive(Clone, Copy)]
struct Origin<'w> {
    ways: &'w [Way],
    /// The type that the field declares.
    declared: &'w str,
    /// The objects above that give arguments.
    ancestors: &'w [Rc<Whole>],
}

/// A subgraph that was to give an object, and whether it has.
#[derive(Clone, Debug)]
struct Holder {
    subgraph: Name,
    /// The name of the object's type in the subgraph.
    called: Name,
    provided: Vec<Pick>,
    outcome: Outcome,
}

/// The outcome of the calls that were to give a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Given,
    /// An entity was not found, so there is no value and no error.
    Missing,
    Failed,
}

impl Outcome {
    /// The outcome of one call after another.
    fn then(self, next: Self) -> Self {
        match self {
            Self::Given => next,
            Self::Missing | Self::Failed => self,
        }
    }
}

impl<'a> Reference<'a> {
    pub(crate) fn new(data: &'a Data, actual: &'a Actual) -> Self {
        Self {
            data,
            faults: data.faults(),
            actual,
            changes: Some(Vec::new()),
            is_unclear: false,
            input_may_fail: false,
            spared: 0,
        }
    }

    /// The root object of an operation.
    pub(crate) fn root(name: &str) -> Whole {
        Whole {
            thing: Thing {
                ty: name.into(),
                seed: 0,
            },
            holders: Vec::new(),
            ancestors: Vec::new(),
        }
    }

    /// The one outcome of several possible ones; `missing_is_error` where a value may not be null.
    fn decide(&mut self, ways: &[Way], path: &[Step], missing_is_error: bool) -> Outcome {
        let has = |outcome| ways.iter().any(|way| way.outcome == outcome);
        let Some(first) = ways.first() else {
            self.is_unclear = true;
            return Outcome::Failed;
        };
        if is_unambiguous(ways) {
            return first.outcome;
        }
        if has(Outcome::Failed) && self.actual.errors.contains(path) {
            return Outcome::Failed;
        }
        self.spared += usize::from(has(Outcome::Failed));
        let is_null = value_at(&self.actual.data, path).is_none_or(JsonValue::is_null);
        let mut errors = self.actual.errors.iter();
        let is_explained = |error: &Path| missing_is_error && error.len() == path.len();
        let has_error = errors.any(|it| it.starts_with(path) && !is_explained(it));
        let may_be_missing = is_null && !has_error;
        if has(Outcome::Missing) && (may_be_missing || !has(Outcome::Given)) {
            return Outcome::Missing;
        }
        Outcome::Given
    }

    /// The value of a field whose calls have succeeded.
    fn value(&mut self, whole: &Whole, name: &str, arguments: &JsonMap, ways: &[Way]) -> Value {
        let ancestors = whole.ancestors.iter().map(|it| it.thing.clone());
        let ancestors: Vec<Thing> = ancestors.collect();
        let arguments = (self.data).in_context(&whole.thing, name, arguments, &ancestors);
        let Ok(arguments) = &arguments else {
            return Value::Throws;
        };
        let field = self.data.field(&whole.thing, name);
        let requires = field.map(|field| field.requires.clone());
        let requires = requires.filter(|it| !it.is_empty() && !ways.iter().any(|it| it.is_inline));
        let Some(requires) = requires else {
            return self.data.of(&whole.thing, name, arguments);
        };
        match self.inputs(whole, &requires) {
            Ok(inputs) => {
                let inputs = inputs.to_string();
                (self.data).computed(&whole.thing, name, arguments, &inputs)
            }
            Err(Failed) => Value::Throws,
        }
    }

    /// The inputs of a field that requires others; `Err` if one of them has an error.
    fn inputs(&mut self, whole: &Whole, picks: &[Pick]) -> Result<JsonValue, Failed> {
        let mut object = Ok(JsonMap::new());
        for pick in picks {
            if pick.on.as_ref().is_some_and(|on| *on != whole.thing.ty) {
                continue;
            }
            // All of them, though one error suffices: each may make the object null.
            match self.picked(whole, pick) {
                Ok(input) => {
                    if let Ok(object) = &mut object {
                        object.insert(&*pick.field, input);
                    }
                }
                Err(Failed) => object = Err(Failed),
            }
        }
        object.map(JsonValue::from)
    }

    fn picked(&mut self, whole: &Whole, pick: &Pick) -> Result<JsonValue, Failed> {
        let ways = self.ways(whole, &pick.field);
        let may_fail = ways.iter().any(|way| way.outcome == Outcome::Failed);
        self.input_may_fail |= may_fail;
        self.spared += usize::from(may_fail);
        let outcomes: HashSet<bool> = ways
            .iter()
            .filter(|way| way.outcome != Outcome::Failed)
            .map(|way| way.outcome == Outcome::Given)
            .collect();
        let value = match (outcomes.contains(&true), outcomes.contains(&false)) {
            (true, false) => {
                let arguments = self.data.defaults(&whole.thing, &pick.field);
                self.value(whole, &pick.field, &arguments, &ways)
            }
            (false, true) => Value::Null,
            (false, false) => return Err(Failed),
            (true, true) => {
                self.is_unclear = true;
                return Err(Failed);
            }
        };
        let required = self.data.required(&whole.thing, &pick.field);
        let declared = self.declared(&whole.thing, &pick.field);
        let origin = Origin {
            ways: &ways,
            declared: &declared,
            ancestors: &[],
        };
        let input = self.input(value, origin, &pick.inner, &required);
        // A subgraph that does not allow the null has no object then, for the client neither.
        self.is_unclear |= input.is_err() && required.first() == Some(&true);
        input
    }

    /// The values that an object gives to fields below it: they may be fetched with the object, and
    /// a null that is not allowed makes it null.
    fn context_inputs(&mut self, owner: &Whole) {
        let types = self.data.model.types.values();
        let contexts = types
            .flat_map(|ty| ty.fields.values())
            .filter_map(|it| it.context.as_ref());
        let contexts = contexts.filter(|context| context.owner == owner.thing.ty);
        for context in contexts {
            let _ = self.inputs(owner, &[Pick::leaf(&context.field)]);
        }
    }

    fn declared(&self, thing: &Thing, name: &str) -> Name {
        let field = self.data.field(thing, name);
        field.map_or_else(|| name.into(), |field| Arc::clone(&field.ty.named))
    }

    fn input(
        &mut self,
        value: Value,
        origin: Origin<'_>,
        picks: &[Pick],
        required: &[bool],
    ) -> Result<JsonValue, Failed> {
        match value {
            Value::Null if required.first() == Some(&true) => Err(Failed),
            Value::Null => Ok(JsonValue::Null),
            Value::Throws | Value::Wrong(_) => Err(Failed),
            Value::Leaf(leaf) => Ok(leaf),
            Value::Thing(thing) => {
                let whole = self.whole(thing, origin);
                self.inputs(&whole, picks)
            }
            Value::List(items) => {
                let below = required.get(1..).unwrap_or_default();
                let items = items.into_iter();
                let items = items.map(|item| self.input(item, origin, picks, below));
                Ok(JsonValue::Array(items.collect::<Result<_, _>>()?))
            }
        }
    }

    fn whole(&self, thing: Thing, origin: Origin<'_>) -> Whole {
        let declared = origin.declared;
        let holders = origin.ways.iter().map(|way| {
            let home = self.data.model.home(declared, &way.subgraph);
            let is_interface_object = home.is_some_and(|home| home.is_interface_object);
            let applies = |pick: &&Pick| pick.on.as_ref().is_none_or(|on| *on == thing.ty);
            Holder {
                subgraph: Arc::clone(&way.subgraph),
                called: if is_interface_object {
                    declared.into()
                } else {
                    Arc::clone(&thing.ty)
                },
                provided: way.provides.iter().filter(applies).cloned().collect(),
                outcome: way.outcome,
            }
        });
        let holders = holders.collect();
        Whole {
            thing,
            holders,
            ancestors: origin.ancestors.to_vec(),
        }
    }

    fn resolved(&mut self, value: Value, origin: Origin<'_>, path: &mut Path) -> Resolved<Whole> {
        match value {
            Value::Null => Resolved::Null,
            Value::Throws => Resolved::Error("the field throws".to_owned()),
            Value::Wrong(wrong) => Resolved::Wrong(wrong),
            Value::Leaf(leaf) => Resolved::Leaf(leaf),
            Value::Thing(thing) => {
                let whole = self.whole(thing, origin);
                match self.decide(&self.typing(&whole), path, true) {
                    Outcome::Given => Resolved::Object(whole),
                    Outcome::Missing => Resolved::Null,
                    Outcome::Failed => Resolved::Error("the type is not known".to_owned()),
                }
            }
            Value::List(items) => {
                let items = items.into_iter().enumerate().map(|(index, item)| {
                    path.push(Step::Index(index));
                    let item = self.resolved(item, origin, path);
                    path.pop();
                    item
                });
                Resolved::List(items.collect())
            }
        }
    }
}

impl Resolver for Reference<'_> {
    type Object = Whole;

    fn type_name(&self, object: &Whole) -> String {
        object.thing.ty.to_string()
    }

    /// Where a subgraph does not allow the null, the fields beside it in the request are null too.
    fn nulled(&mut self, type_name: &str, field: &str) {
        let model = &self.data.model;
        let mut homes = model
            .get(type_name)
            .into_iter()
            .flat_map(|ty| ty.homes.values());
        let is_stricter = homes.any(|home| home.fields.get(field).is_some_and(|it| it.is_stricter));
        self.is_unclear |= is_stricter && !model.is_stricter_everywhere(type_name, field);
    }

    fn resolve(&mut self, object: &Whole, call: &FieldCall<'_>) -> Resolved<Whole> {
        let ways = self.ways(object, call.name);
        if *object.thing.ty == *"Mutation" && !is_unambiguous(&ways) {
            self.changes = None;
        }
        match self.decide(&ways, call.path, call.is_non_null) {
            Outcome::Failed => Resolved::Error("a call failed".to_owned()),
            Outcome::Missing => Resolved::Null,
            Outcome::Given => {
                if let (Some(changes), "Mutation") = (&mut self.changes, &*object.thing.ty) {
                    changes.push(call.name.to_owned());
                }
                let value = self.value(object, call.name, &call.arguments, &ways);
                let mut ancestors = object.ancestors.clone();
                if self.data.model.is_context(&object.thing.ty) {
                    self.context_inputs(object);
                    ancestors.push(Rc::new(object.clone()));
                }
                let mut path = call.path.to_vec();
                let origin = Origin {
                    ways: &ways,
                    declared: call.declared,
                    ancestors: &ancestors,
                };
                self.resolved(value, origin, &mut path)
            }
        }
    }
}

/// Whether all ways have one outcome.
fn is_unambiguous(ways: &[Way]) -> bool {
    let first = ways.first().map(|way| way.outcome);
    ways.iter().all(|way| Some(way.outcome) == first)
}

/// The value at a path; `None` if there is none.
fn value_at<'d>(data: &'d JsonValue, path: &[Step]) -> Option<&'d JsonValue> {
    path.iter().try_fold(data, |value, step| match step {
        Step::Key(key) => value.get(key.as_str()),
        Step::Index(index) => value.get(*index),
    })
}
