//! The types of all subgraphs as one schema.
//!
//! Output types are merged by union, arguments and input types by intersection, enums by how they
//! are used. Two subgraphs that say different things of one name are reported, both places shown.
//! What is `@inaccessible` stays: plans need it, and `api` takes it away from clients.

use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::{
    ComponentName, EnumType, ExtendedType, InputObjectType, InterfaceType, ObjectType, ScalarType,
    Schema, UnionType,
};
use apollo_compiler::{Name, Node, name};

use super::compose::part::Part;
use crate::diagnostic::{Code, Diagnostic, Problems};

mod directives;
mod enums;
mod executable;
mod implied;
mod inputs;
mod outputs;
mod widths;

pub(super) use self::directives::{FOR_CLIENTS, KEPT, used};
pub(super) use self::executable::is_executable;

/// Merges the subgraphs; a type that is said in two ways is kept as it was said first.
pub(super) fn merge<'a>(parts: &'a [Part<'a>], problems: &mut Problems) -> Schema {
    let mut merge = Merge {
        schema: Schema::new(),
        said: said(parts),
        problems,
    };
    merge.shells();
    merge.roots();
    merge.outputs();
    merge.inputs();
    merge.implied_fields(parts);
    merge.enums();
    merge.definitions(parts);
    merge.executable(parts);
    merge.schema
}

/// What one subgraph says of something.
struct Said<'a, T> {
    part: &'a Part<'a>,
    it: &'a T,
}

impl<T> Clone for Said<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Said<'_, T> {}

struct Merge<'a, 'p> {
    schema: Schema,
    /// Every type with what the subgraphs say of it, those left out that say another kind.
    said: IndexMap<Name, Vec<Said<'a, ExtendedType>>>,
    problems: &'p mut Problems,
}

fn said<'a>(parts: &'a [Part<'a>]) -> IndexMap<Name, Vec<Said<'a, ExtendedType>>> {
    let mut said: IndexMap<Name, Vec<_>> = IndexMap::default();
    for part in parts {
        for (name, it) in part.types() {
            said.entry(name.clone())
                .or_default()
                .push(Said { part, it });
        }
    }
    said
}

impl Merge<'_, '_> {
    /// Adds every type with its interfaces or members, so that the width of types can be told.
    fn shells(&mut self) {
        let said = std::mem::take(&mut self.said);
        for (name, mut all) in said {
            self.same_kind(&name, &mut all);
            let shell = shell(&name, &all);
            self.schema.types.insert(name.clone(), shell);
            self.said.insert(name, all);
        }
    }

    /// Reports those that say another kind than the first, and leaves them out.
    fn same_kind(&mut self, name: &Name, all: &mut Vec<Said<'_, ExtendedType>>) {
        let Some(first) = all.first().copied() else {
            return;
        };
        let wanted = kind(first);
        all.retain(|other| {
            let found = kind(*other);
            if found == wanted {
                return true;
            }
            let message = format!(
                "`{name}` is {found} here and {wanted} in `{}`",
                first.part.name()
            );
            let places = (location(other.it), location(first.it));
            let problem = conflict(Code::TypeKindMismatch, message, places, (*other, first));
            self.problems.push(problem);
            false
        });
        let interface = all.iter().find(|it| it.it.is_interface());
        let object = all.iter().find(|it| it.it.is_object());
        if let (Some(object), None, "an interface") = (object, interface, wanted) {
            let message = format!("no subgraph has `{name}` as an interface");
            let span = object.part.span(location(object.it));
            let help = "`@interfaceObject` is for interfaces that another subgraph has".to_owned();
            let problem = Diagnostic::error(Code::InterfaceObjectUsageError, span, message);
            self.problems.push(problem.help(help));
        }
    }

    fn roots(&mut self) {
        let is_there = |name: Name| {
            self.schema
                .types
                .contains_key(&name)
                .then(|| ComponentName::from(name))
        };
        let (query, mutation) = (is_there(name!("Query")), is_there(name!("Mutation")));
        let subscription = is_there(name!("Subscription"));
        let definition = self.schema.schema_definition.make_mut();
        definition.query = query;
        definition.mutation = mutation;
        definition.subscription = subscription;
    }
}

/// What a type is to the graph.
fn kind(said: Said<'_, ExtendedType>) -> &'static str {
    match said.it {
        ExtendedType::Scalar(_) => "a scalar",
        ExtendedType::Object(it) if said.part.is_interface_object(&it.name) => "an interface",
        ExtendedType::Object(_) => "an object type",
        ExtendedType::Interface(_) => "an interface",
        ExtendedType::Union(_) => "a union",
        ExtendedType::Enum(_) => "an enum",
        ExtendedType::InputObject(_) => "an input type",
    }
}

/// Where a type stands: at its name, or at its first extension.
fn location(definition: &ExtendedType) -> Option<SourceSpan> {
    definition.name().location()
}

/// Two subgraphs that say different things; the second one is labelled.
fn conflict<T>(
    code: Code,
    message: String,
    (here, there): (Option<SourceSpan>, Option<SourceSpan>),
    (new, known): (Said<'_, T>, Said<'_, T>),
) -> Diagnostic {
    let label = format!("in `{}`", known.part.name());
    Diagnostic::error(code, new.part.span(here), message).label(known.part.span(there), label)
}

/// The type without fields and values.
fn shell(name: &Name, all: &[Said<'_, ExtendedType>]) -> ExtendedType {
    let description = all.iter().find_map(|it| it.it.description()).cloned();
    let directives = directives::of_types(all);
    let name = name.clone();
    let Some(first) = all.first() else {
        return ExtendedType::Scalar(Node::new(ScalarType {
            description,
            name,
            directives,
        }));
    };
    match first.it {
        ExtendedType::Scalar(_) => ExtendedType::Scalar(Node::new(ScalarType {
            description,
            name,
            directives,
        })),
        ExtendedType::Object(_) if kind(*first) == "an object type" => {
            ExtendedType::Object(Node::new(ObjectType {
                description,
                name,
                implements_interfaces: interfaces(all),
                directives,
                fields: IndexMap::default(),
            }))
        }
        ExtendedType::Object(_) | ExtendedType::Interface(_) => {
            ExtendedType::Interface(Node::new(InterfaceType {
                description,
                name,
                implements_interfaces: interfaces(all),
                directives,
                fields: IndexMap::default(),
            }))
        }
        ExtendedType::Union(_) => ExtendedType::Union(Node::new(UnionType {
            description,
            name,
            directives,
            members: members(all),
        })),
        ExtendedType::Enum(_) => ExtendedType::Enum(Node::new(EnumType {
            description,
            name,
            directives,
            values: IndexMap::default(),
        })),
        ExtendedType::InputObject(_) => ExtendedType::InputObject(Node::new(InputObjectType {
            description,
            name,
            directives,
            fields: IndexMap::default(),
        })),
    }
}

fn interfaces(all: &[Said<'_, ExtendedType>]) -> IndexSet<ComponentName> {
    let mut found = IndexSet::default();
    for said in all {
        let written = match said.it {
            ExtendedType::Object(it) => &it.implements_interfaces,
            ExtendedType::Interface(it) => &it.implements_interfaces,
            _ => continue,
        };
        found.extend(written.iter().map(bare));
    }
    found
}

fn members(all: &[Said<'_, ExtendedType>]) -> IndexSet<ComponentName> {
    let written = all.iter().filter_map(|said| said.it.as_union());
    written.flat_map(|it| it.members.iter().map(bare)).collect()
}

/// The name alone: where it stands means nothing in the merged schema.
fn bare(name: &ComponentName) -> ComponentName {
    ComponentName::from(name.name.clone())
}
