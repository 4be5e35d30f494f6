//! A graph as one whole, and who gives which part of it: what is generated, printed as subgraphs,
//! answered and shrunk.
//!
//! Nothing here knows what the values are (`data`) or how SDL looks (`sdl`).

use std::fmt;
use std::sync::Arc;

use apollo_compiler::response::JsonValue;
use indexmap::IndexMap;

pub(crate) type Name = Arc<str>;

/// A graph, and how it is split.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// All values follow from it.
    pub(crate) seed: u64,
    pub(crate) subgraphs: Vec<Name>,
    /// The subgraphs whose documents are of federation 1.
    pub(crate) legacy: Vec<Name>,
    /// Composite types by name.
    pub(crate) types: IndexMap<Name, Type>,
}

#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) kind: Kind,
    /// Of entities, and of interfaces that can be entered by one.
    pub(crate) keys: Vec<Vec<Pick>>,
    /// Of objects and interfaces.
    pub(crate) fields: IndexMap<Name, Field>,
    /// What each subgraph has of it.
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
    /// What its value is computed from; empty for most.
    pub(crate) requires: Vec<Pick>,
    pub(crate) role: Role,
    /// Not for clients (`@inaccessible`).
    pub(crate) is_hidden: bool,
}

/// How the values of a field are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// At random, with nulls where they may be.
    Plain,
    /// At random and never null, though the type allows it.
    Present,
    /// Another one for each object of the type, and of all types.
    Id,
    /// Another one for each object of the type.
    Number,
    /// One of two; together with `High` another one for each object of the type.
    Low,
    High,
    /// The entity of the same number.
    Twin,
}

#[derive(Clone, Debug)]
pub(crate) struct Argument {
    /// As written.
    pub(crate) ty: Name,
    pub(crate) default: Option<Literal>,
}

/// A constant, as GraphQL and as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Literal {
    pub(crate) text: Name,
    pub(crate) json: JsonValue,
}

/// One field of a set of fields, as `@key`, `@requires` and `@provides` have them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pick {
    /// Of objects of this type only.
    pub(crate) on: Option<Name>,
    pub(crate) field: Name,
    pub(crate) inner: Vec<Self>,
}

/// What one subgraph has of a type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Home {
    /// Which of the type's keys.
    pub(crate) keys: Vec<HomeKey>,
    /// Of objects, and of `@interfaceObject`; what an interface has follows from its members.
    pub(crate) given: IndexMap<Name, Given>,
    /// Of interfaces and unions.
    pub(crate) members: Vec<Name>,
    /// An interface that is an object here.
    pub(crate) is_interface_object: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct HomeKey {
    pub(crate) index: usize,
    pub(crate) resolvable: bool,
}

/// A field as one subgraph has it.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) how: How,
    pub(crate) provides: Vec<Pick>,
    /// The subgraph from which it is taken over.
    pub(crate) overrides: Option<Name>,
    /// Whether that is so for requests only for which a label is on.
    pub(crate) label: Option<Label>,
    /// Said not to be null here, whatever others say.
    pub(crate) is_stricter: bool,
    /// The member of an interface or union that it says it is here.
    pub(crate) narrower: Option<Name>,
}

/// A label of `@override`, and whether it is on for the requests of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Gives,
    /// `@external`.
    External,
    /// Another subgraph has taken it over.
    Overridden,
}

/// A type with its lists and what may not be null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ty {
    pub(crate) named: Name,
    /// How many lists around it.
    pub(crate) lists: usize,
    /// What may not be null, the outermost first.
    pub(crate) required: [bool; 3],
}

impl Model {
    /// The type of the name, when it is composite.
    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    pub(crate) fn home(&self, ty: &str, subgraph: &str) -> Option<&Home> {
        self.types.get(ty)?.homes.get(subgraph)
    }

    pub(crate) fn given(&self, ty: &str, subgraph: &str, field: &str) -> Option<&Given> {
        self.home(ty, subgraph)?.given.get(field)
    }

    /// Whether the subgraph gives the field wherever it has the type.
    pub(crate) fn gives(&self, ty: &str, subgraph: &str, field: &str) -> bool {
        let given = self.given(ty, subgraph, field);
        given.is_some_and(|given| given.how == How::Gives)
    }

    /// The object types that a composite type may be, in any subgraph.
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

    /// The interfaces of which objects of the type are one, in one subgraph or in any.
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

    /// The fields that an interface has in a subgraph: those that all of its members give there.
    pub(crate) fn interface_fields(&self, name: &str, subgraph: &str) -> Vec<&Name> {
        let (Some(ty), Some(home)) = (self.get(name), self.home(name, subgraph)) else {
            return Vec::new();
        };
        let given = |field: &Name| {
            let mut members = home.members.iter();
            !home.members.is_empty() && members.all(|member| self.gives(member, subgraph, field))
        };
        ty.fields.keys().filter(|field| given(field)).collect()
    }

    /// The fields of a type that clients see.
    pub(crate) fn visible(&self, name: &str) -> Vec<&Name> {
        let Some(ty) = self.get(name) else {
            return Vec::new();
        };
        let seen = |field: &Name| match ty.kind {
            Kind::Interface => ty.homes.iter().any(|(subgraph, home)| {
                home.given.contains_key(field)
                    || self.interface_fields(name, subgraph).contains(&field)
            }),
            _ => !self.givers(name, field).is_empty(),
        };
        let fields = ty.fields.iter().filter(|(_, field)| !field.is_hidden);
        fields.map(|it| it.0).filter(|field| seen(field)).collect()
    }

    /// The subgraphs that give a field of objects of a type, as that type or as an interface that
    /// is an object there.
    pub(crate) fn givers(&self, object: &str, field: &str) -> Vec<&Name> {
        let given = |home: &Home| home.given.get(field).is_some_and(|it| it.how == How::Gives);
        let mut givers = Vec::new();
        if let Some(ty) = self.get(object) {
            givers.extend(ty.homes.iter().filter(|it| given(it.1)).map(|it| it.0));
        }
        for interface in self.interfaces(object, None) {
            let homes = self.types[interface].homes.iter();
            givers.extend(
                homes
                    .filter(|(_, home)| home.is_interface_object && given(home))
                    .map(|it| it.0),
            );
        }
        givers
    }

    /// Whether a field may be null for clients: where one subgraph says so.
    pub(crate) fn is_stricter_everywhere(&self, object: &str, field: &str) -> bool {
        let Some(ty) = self.get(object) else {
            return false;
        };
        let mut homes = ty.homes.values().filter_map(|home| home.given.get(field));
        let count = homes.clone().count();
        count > 0 && homes.all(|given| given.is_stricter)
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
            role,
            is_hidden: false,
        }
    }
}

impl Given {
    pub(crate) fn new(how: How) -> Self {
        Self {
            how,
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

    /// The same, but never null.
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

/// As the `fields` of a directive.
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
