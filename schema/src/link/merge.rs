//! Merges the types of all subgraphs into one schema.
//!
//! Output types are merged by union, arguments and input types by intersection, enums by how they
//! are used. Conflicting definitions of two subgraphs are reported with both locations.
//! `@inaccessible` elements stay, because plans need them; `api` removes them for clients.

use std::fmt::{self, Display, Formatter};

use apollo_compiler::ast::{DirectiveDefinition, FieldDefinition, InputValueDefinition};
use apollo_compiler::collections::{IndexMap, IndexSet};
use apollo_compiler::schema::{
    Component, ComponentName, EnumType, ExtendedType, InputObjectType, InterfaceType, ObjectType,
    ScalarType, Schema, UnionType,
};
use apollo_compiler::{Name, Node, name};

use super::compose::part::SubgraphPart;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::span::Span;

mod directives;
mod enums;
mod executable;
mod inputs;
mod interface_object_fields;
mod outputs;
mod widths;

pub(super) use self::directives::{CLIENT_DIRECTIVES, PRESERVED_DIRECTIVES, used_directives};
pub(super) use self::executable::is_executable;

/// Merges the subgraphs; of conflicting definitions the first stays.
pub(super) fn merge<'a>(parts: &'a [SubgraphPart<'a>], problems: &mut Problems) -> Schema {
    let mut merge = Merge {
        schema: Schema::new(),
        declarations: declarations(parts),
        problems,
    };
    merge.add_type_shells();
    merge.set_roots();
    merge.merge_outputs();
    merge.merge_inputs();
    merge.add_interface_object_fields(parts);
    merge.merge_enums();
    merge.add_directive_definitions(parts);
    merge.merge_executable_directives(parts);
    merge.schema
}

/// A definition in one subgraph.
struct Declaration<'a, T> {
    part: &'a SubgraphPart<'a>,
    definition: &'a T,
}

impl<T> Clone for Declaration<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Declaration<'_, T> {}

impl<T: Definition> Declaration<'_, T> {
    fn span(self) -> Span {
        self.part.span(self.definition.name().location())
    }
}

/// A part of a schema that has a name; the name of a type may be at its first extension.
trait Definition {
    fn name(&self) -> &Name;
}

impl Definition for ExtendedType {
    fn name(&self) -> &Name {
        self.name()
    }
}

impl Definition for Component<FieldDefinition> {
    fn name(&self) -> &Name {
        &self.name
    }
}

impl Definition for Node<InputValueDefinition> {
    fn name(&self) -> &Name {
        &self.name
    }
}

impl Definition for Node<DirectiveDefinition> {
    fn name(&self) -> &Name {
        &self.name
    }
}

/// `Query.users`: a field in messages.
#[derive(Clone, Copy)]
struct FieldCoordinate<'n> {
    owner: &'n Name,
    field: &'n Name,
}

impl Display for FieldCoordinate<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.owner, self.field)
    }
}

struct Merge<'a, 'p> {
    schema: Schema,
    /// The declarations of each type, without those of another kind than the first.
    declarations: IndexMap<Name, Vec<Declaration<'a, ExtendedType>>>,
    problems: &'p mut Problems,
}

fn declarations<'a>(
    parts: &'a [SubgraphPart<'a>],
) -> IndexMap<Name, Vec<Declaration<'a, ExtendedType>>> {
    let mut declarations: IndexMap<Name, Vec<_>> = IndexMap::default();
    for part in parts {
        for (name, it) in part.types() {
            declarations
                .entry(name.clone())
                .or_default()
                .push(Declaration {
                    part,
                    definition: it,
                });
        }
    }
    declarations
}

impl Merge<'_, '_> {
    /// Adds every type with its interfaces or members, so that types can be compared as subtypes.
    fn add_type_shells(&mut self) {
        let declarations = std::mem::take(&mut self.declarations);
        for (name, mut all) in declarations {
            self.retain_same_kind(&name, &mut all);
            let shell = shell(&name, &all);
            self.schema.types.insert(name.clone(), shell);
            self.declarations.insert(name, all);
        }
    }

    /// Reports and removes declarations of another kind than the first.
    fn retain_same_kind(&mut self, name: &Name, all: &mut Vec<Declaration<'_, ExtendedType>>) {
        let Some(first) = all.first().copied() else {
            return;
        };
        let first_kind = kind_name(first);
        all.retain(|other| {
            let kind = kind_name(*other);
            if kind == first_kind {
                return true;
            }
            let message = format!(
                "`{name}` is {kind} here and {first_kind} in `{}`",
                first.part.name()
            );
            let problem = conflict(Code::TypeKindMismatch, message, *other, first);
            self.problems.push(problem);
            false
        });
        let interface = all.iter().find(|it| it.definition.is_interface());
        let object = all.iter().find(|it| it.definition.is_object());
        if let (Some(object), None, "an interface") = (object, interface, first_kind) {
            let message = format!("no subgraph defines `{name}` as an interface");
            let help =
                "`@interfaceObject` needs another subgraph that defines the interface".to_owned();
            let problem =
                Diagnostic::error(Code::InterfaceObjectUsageError, object.span(), message);
            self.problems.push(problem.help(help));
        }
    }

    fn set_roots(&mut self) {
        let root = |name: Name| {
            self.schema
                .types
                .contains_key(&name)
                .then(|| ComponentName::from(name))
        };
        let (query, mutation) = (root(name!("Query")), root(name!("Mutation")));
        let subscription = root(name!("Subscription"));
        let definition = self.schema.schema_definition.make_mut();
        definition.query = query;
        definition.mutation = mutation;
        definition.subscription = subscription;
    }
}

/// The kind of a type in the graph, with an article.
fn kind_name(declaration: Declaration<'_, ExtendedType>) -> &'static str {
    match declaration.definition {
        ExtendedType::Scalar(_) => "a scalar",
        ExtendedType::Object(it) if declaration.part.is_interface_object(&it.name) => {
            "an interface"
        }
        ExtendedType::Object(_) => "an object type",
        ExtendedType::Interface(_) => "an interface",
        ExtendedType::Union(_) => "a union",
        ExtendedType::Enum(_) => "an enum",
        ExtendedType::InputObject(_) => "an input type",
    }
}

/// An error at `declaration` that labels the `first` one, which it contradicts.
fn conflict<T: Definition>(
    code: Code,
    message: String,
    declaration: Declaration<'_, T>,
    first: Declaration<'_, T>,
) -> Diagnostic {
    let label = format!("in `{}`", first.part.name());
    Diagnostic::error(code, declaration.span(), message).label(first.span(), label)
}

/// The merged type without fields and values.
fn shell(name: &Name, all: &[Declaration<'_, ExtendedType>]) -> ExtendedType {
    let description = all
        .iter()
        .find_map(|it| it.definition.description())
        .cloned();
    let directives = directives::merged_type_directives(all);
    let name = name.clone();
    let Some(first) = all.first() else {
        return ExtendedType::Scalar(Node::new(ScalarType {
            description,
            name,
            directives,
        }));
    };
    match first.definition {
        ExtendedType::Scalar(_) => ExtendedType::Scalar(Node::new(ScalarType {
            description,
            name,
            directives,
        })),
        ExtendedType::Object(_) if kind_name(*first) == "an object type" => {
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

fn interfaces(all: &[Declaration<'_, ExtendedType>]) -> IndexSet<ComponentName> {
    let mut interfaces = IndexSet::default();
    for declaration in all {
        let declared = match declaration.definition {
            ExtendedType::Object(it) => &it.implements_interfaces,
            ExtendedType::Interface(it) => &it.implements_interfaces,
            _ => continue,
        };
        interfaces.extend(declared.iter().map(without_location));
    }
    interfaces
}

fn members(all: &[Declaration<'_, ExtendedType>]) -> IndexSet<ComponentName> {
    let unions = all
        .iter()
        .filter_map(|declaration| declaration.definition.as_union());
    unions
        .flat_map(|it| it.members.iter().map(without_location))
        .collect()
}

/// The name without its location, which has no meaning in the merged schema.
fn without_location(name: &ComponentName) -> ComponentName {
    ComponentName::from(name.name.clone())
}
