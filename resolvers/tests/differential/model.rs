//! A graph as a whole, and how subgraphs divide it: it is generated, printed as subgraphs, executed
//! and shrunk.
//!
//! This module knows neither values (`data`) nor SDL (`sdl`).

use std::fmt;
use std::sync::Arc;

use apollo_compiler::response::JsonValue;
use indexmap::IndexMap;

pub(crate) type Name = Arc<str>;

/// A graph, and how it is split.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// Determines all values.
    pub(crate) seed: u64,
    pub(crate) subgraphs: Vec<Name>,
    /// The subgraphs whose documents are in federation 1.
    pub(crate) legacy: Vec<Name>,
    /// The subgraph of connectors.
    pub(crate) rest: Option<Rest>,
    /// Composite types by name.
    pub(crate) types: IndexMap<Name, Type>,
}

/// A subgraph of connectors to a REST service.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    pub(crate) subgraph: Name,
    /// Whether entities are requested in batches.
    pub(crate) is_batch: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) kind: Kind,
    /// The keys of an entity, or of an interface that can be entered by key.
    pub(crate) keys: Vec<Vec<Pick>>,
    /// The fields of an object or interface.
    pub(crate) fields: IndexMap<Name, Field>,
    /// The part of the type that each subgraph has.
    pub(crate) homes: IndexMap<Name, Home>,
    /// An entity that a subgraph does not know, by its number.
    pub(crate) unknown: Option<(Name, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Root,
    Entity,
    /// An object without a key.
    Value,
    Interface,
    Union,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) ty: Ty,
    pub(crate) arguments: IndexMap<Name, Argument>,
    /// The requirements that the value is computed from; empty for most fields.
    pub(crate) requires: Vec<Pick>,
    /// The argument that an ancestor gives (`@fromContext`).
    pub(crate) context: Option<Context>,
    pub(crate) role: Role,
    /// Whether clients do not see the field (`@inaccessible`).
    pub(crate) is_hidden: bool,
}

/// An argument `from` whose value is a field of the nearest ancestor of a type.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The type of the ancestor.
    pub(crate) owner: Name,
    pub(crate) field: Name,
}

/// How the values of a field are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Random, with nulls where the type allows them.
    Plain,
    /// Random and never null, though the type allows it.
    Present,
    /// Unique among all objects of all types.
    Id,
    /// Unique among the objects of the type.
    Number,
    /// One of two values; unique among the objects of the type together with `High`.
    Low,
    High,
    /// The entity of the same number.
    Twin,
}

#[derive(Clone, Debug)]
pub(crate) struct Argument {
    /// The type as it is written.
    pub(crate) ty: Name,
    pub(crate) default: Option<Literal>,
}

/// A constant, as GraphQL and as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Literal {
    pub(crate) text: Name,
    pub(crate) json: JsonValue,
}

/// One field of a field set, as in `@key`, `@requires` and `@provides`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pick {
    /// The type condition.
    pub(crate) on: Option<Name>,
    pub(crate) field: Name,
    pub(crate) inner: Vec<Self>,
}

/// The part of a type that one subgraph has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Home {
    /// The keys of the type that the subgraph has.
    pub(crate) keys: Vec<HomeKey>,
    /// The fields of an object or `@interfaceObject`; those of an interface follow from its
    /// members.
    pub(crate) fields: IndexMap<Name, HomeField>,
    /// The members of an interface or union.
    pub(crate) members: Vec<Name>,
    /// Whether an interface is an object in this subgraph.
    pub(crate) is_interface_object: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct HomeKey {
    pub(crate) index: usize,
    pub(crate) resolvable: bool,
}

/// A field of a type in one subgraph.
#[derive(Clone, Debug)]
pub(crate) struct HomeField {
    pub(crate) availability: Availability,
    pub(crate) provides: Vec<Pick>,
    /// The subgraph whose field is overridden.
    pub(crate) overrides: Option<Name>,
    /// The label of a progressive override.
    pub(crate) label: Option<Label>,
    /// Whether it is declared non-null here, whatever the others declare.
    pub(crate) is_stricter: bool,
    /// The member of an interface or union that is the declared type here.
    pub(crate) narrower: Option<Name>,
}

/// A label of `@override`, on or off for the operations of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Availability {
    Resolved,
    /// `@external`.
    External,
    /// Overridden by another subgraph.
    Overridden,
}

/// A type with its lists and non-null marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ty {
    pub(crate) named: Name,
    /// Number of lists around the named type.
    pub(crate) lists: usize,
    /// The non-null marks, the outermost first.
    pub(crate) required: [bool; 3],
}

impl Model {
    /// Whether a subgraph consists of connectors.
    pub(crate) fn is_rest(&self, subgraph: &str) -> bool {
        (self.rest.as_ref()).is_some_and(|rest| *rest.subgraph == *subgraph)
    }

    /// The composite type of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    pub(crate) fn home(&self, ty: &str, subgraph: &str) -> Option<&Home> {
        self.types.get(ty)?.homes.get(subgraph)
    }

    pub(crate) fn home_field(&self, ty: &str, subgraph: &str, field: &str) -> Option<&HomeField> {
        self.home(ty, subgraph)?.fields.get(field)
    }

    /// Whether the subgraph resolves the field of the type.
    pub(crate) fn resolves(&self, ty: &str, subgraph: &str, field: &str) -> bool {
        let home_field = self.home_field(ty, subgraph, field);
        home_field.is_some_and(|home_field| home_field.availability == Availability::Resolved)
    }

    /// The object types of a composite type, in any subgraph.
    pub(crate) fn members(&self, name: &str) -> Vec<Name> {
        let Some((name, ty)) = self.types.get_key_value(name) else {
            return Vec::new();
        };
        if !ty.is_abstract() {
            return vec![Arc::clone(name)];
        }
        let all: Vec<&Name> = ty.homes.values().flat_map(|home| &home.members).collect();
        let known = self.types.keys();
        known.filter(|name| all.contains(name)).cloned().collect()
    }

    /// The interfaces that an object type implements, in one subgraph or in any.
    pub(crate) fn interfaces(&self, object: &str, subgraph: Option<&str>) -> Vec<&Name> {
        let has = |ty: &Type| {
            ty.homes.iter().any(|(home, it)| {
                subgraph.is_none_or(|subgraph| **home == *subgraph)
                    && it.members.iter().any(|member| **member == *object)
            })
        };
        let types = self.types.iter();
        types
            .filter(|(_, ty)| ty.kind == Kind::Interface && has(ty))
            .map(|(name, _)| name)
            .collect()
    }

    /// The fields of an interface in a subgraph: those that all its members resolve there.
    pub(crate) fn interface_fields(&self, name: &str, subgraph: &str) -> Vec<&Name> {
        let (Some(ty), Some(home)) = (self.get(name), self.home(name, subgraph)) else {
            return Vec::new();
        };
        let is_resolved = |field: &Name| {
            let mut members = home.members.iter();
            !home.members.is_empty() && members.all(|member| self.resolves(member, subgraph, field))
        };
        ty.fields
            .keys()
            .filter(|field| is_resolved(field))
            .collect()
    }

    /// The fields of a type that clients see.
    pub(crate) fn visible(&self, name: &str) -> Vec<&Name> {
        let Some(ty) = self.get(name) else {
            return Vec::new();
        };
        let is_visible = |field: &Name| match ty.kind {
            Kind::Interface => ty.homes.iter().any(|(subgraph, home)| {
                home.fields.contains_key(field)
                    || self.interface_fields(name, subgraph).contains(&field)
            }),
            _ => !self.subgraphs_of(name, field).is_empty(),
        };
        let fields = ty.fields.iter().filter(|(_, field)| !field.is_hidden);
        fields
            .map(|it| it.0)
            .filter(|field| is_visible(field))
            .collect()
    }

    /// Whether the field of the type is external in a subgraph.
    pub(crate) fn is_external(&self, ty: &str, field: &str) -> bool {
        let homes = self
            .types
            .get(ty)
            .into_iter()
            .flat_map(|ty| ty.homes.values());
        let mut fields = homes.filter_map(|home| home.fields.get(field));
        fields.any(|field| field.availability == Availability::External)
    }

    /// The subgraphs that resolve a field of an object type, as that type or as an interface
    /// object.
    pub(crate) fn subgraphs_of(&self, object: &str, field: &str) -> Vec<&Name> {
        let is_resolved = |home: &Home| {
            home.fields
                .get(field)
                .is_some_and(|it| it.availability == Availability::Resolved)
        };
        let mut subgraphs_of = Vec::new();
        if let Some(ty) = self.get(object) {
            subgraphs_of.extend(
                ty.homes
                    .iter()
                    .filter(|it| is_resolved(it.1))
                    .map(|it| it.0),
            );
        }
        for interface in self.interfaces(object, None) {
            let homes = self.types[interface].homes.iter();
            subgraphs_of.extend(
                homes
                    .filter(|(_, home)| home.is_interface_object && is_resolved(home))
                    .map(|it| it.0),
            );
        }
        subgraphs_of
    }

    /// Whether any field has an argument that an object above gives; it is in a request of its own.
    pub(crate) fn has_contexts(&self) -> bool {
        let mut fields = self.types.values().flat_map(|ty| ty.fields.values());
        fields.any(|field| field.context.is_some())
    }

    /// Whether a field has an argument that an object of this type gives.
    pub(crate) fn is_context(&self, owner: &str) -> bool {
        let fields = self.types.values().flat_map(|ty| ty.fields.values());
        let mut contexts = fields.filter_map(|field| field.context.as_ref());
        contexts.any(|context| *context.owner == *owner)
    }

    /// Whether a field is non-null for clients: if all subgraphs declare it so.
    pub(crate) fn is_stricter_everywhere(&self, object: &str, field: &str) -> bool {
        let Some(ty) = self.get(object) else {
            return false;
        };
        let mut homes = ty.homes.values().filter_map(|home| home.fields.get(field));
        let count = homes.clone().count();
        count > 0 && homes.all(|home_field| home_field.is_stricter)
    }
}

impl Type {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            keys: Vec::new(),
            fields: IndexMap::new(),
            homes: IndexMap::new(),
            unknown: None,
        }
    }

    pub(crate) fn is_abstract(&self) -> bool {
        matches!(self.kind, Kind::Interface | Kind::Union)
    }
}

impl Field {
    pub(crate) fn new(ty: Ty, role: Role) -> Self {
        Self {
            ty,
            arguments: IndexMap::new(),
            requires: Vec::new(),
            context: None,
            role,
            is_hidden: false,
        }
    }
}

impl HomeField {
    pub(crate) fn new(availability: Availability) -> Self {
        Self {
            availability,
            provides: Vec::new(),
            overrides: None,
            label: None,
            is_stricter: false,
            narrower: None,
        }
    }
}

impl Pick {
    pub(crate) fn leaf(field: &str) -> Self {
        Self {
            on: None,
            field: field.into(),
            inner: Vec::new(),
        }
    }
}

impl Ty {
    pub(crate) fn named(name: &str) -> Self {
        Self {
            named: name.into(),
            lists: 0,
            required: [false; 3],
        }
    }

    pub(crate) fn required(name: &str) -> Self {
        let mut ty = Self::named(name);
        ty.required[0] = true;
        ty
    }

    /// The type with a non-null mark outside.
    pub(crate) fn stricter(&self) -> Self {
        let mut ty = self.clone();
        ty.required[0] = true;
        ty
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = |level: usize| if self.required[level] { "!" } else { "" };
        f.write_str(&"[".repeat(self.lists))?;
        write!(f, "{}{}", self.named, mark(self.lists))?;
        for level in (0..self.lists).rev() {
            write!(f, "]{}", mark(level))?;
        }
        Ok(())
    }
}

/// The field set as the `fields` of a directive.
pub(crate) fn set(picks: &[Pick]) -> String {
    let each = picks.iter().map(|pick| {
        let mut text = pick.field.to_string();
        if !pick.inner.is_empty() {
            text = format!("{text} {{ {} }}", set(&pick.inner));
        }
        match &pick.on {
            Some(on) => format!("... on {on} {{ {text} }}"),
            None => text,
        }
    });
    each.collect::<Vec<_>>().join(" ")
}
