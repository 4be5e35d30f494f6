//! Schemas of GraphQL subgraphs: their types, the keys for entity lookups, and the requirements of
//! their fields.
//!
//! Composition and supergraphs both produce a `SubgraphSchema`; `sources` turns it into a source.

use indexmap::IndexMap;

use crate::span::Span;
use crate::types::Name;

pub(super) use self::fields::read as read_fields;
pub(super) use self::progressive::sources;
use self::subgraph_sources::subgraph_sources;

mod contexts;
mod fields;
mod parsed_subgraph;
mod progressive;
mod provided;
mod requirements;
mod subgraph_sources;

/// The schema of a GraphQL subgraph. Root types have the names of the merged schema.
#[derive(Clone, Debug)]
pub(super) struct SubgraphSchema {
    pub(super) name: Name,
    pub(super) url: Option<Name>,
    pub(super) types: IndexMap<Name, SubgraphType>,
    /// Root types with another name in the subgraph: the name in `types`, and its own.
    pub(super) renamed_types: Vec<(Name, Name)>,
}

/// A type as one subgraph defines it.
#[derive(Clone, Debug)]
pub(super) struct SubgraphType {
    pub(super) kind: SubgraphTypeKind,
    /// Its keys, in document order.
    pub(super) keys: Vec<SubgraphKey>,
    /// The fields of an object or interface; empty for other types.
    pub(super) fields: IndexMap<Name, SubgraphField>,
    /// The member types of a union, or the object types that implement an interface, in this
    /// subgraph.
    pub(super) members: Vec<Name>,
}

/// The kind of a type in one subgraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubgraphTypeKind {
    Object,
    Interface,
    /// `@interfaceObject`: an interface of the graph, defined as an object in the subgraph.
    InterfaceObject,
    Union,
    /// A scalar or an enum.
    Leaf,
}

/// A `@key` of a type.
#[derive(Clone, Debug)]
pub(super) struct SubgraphKey {
    /// The field set, such as `id organization { id }`.
    pub(super) fields: FieldSetText,
    /// Whether it allows entity lookups.
    pub(super) resolvable: bool,
}

/// A field as one subgraph defines it.
#[derive(Clone, Debug)]
pub(super) struct SubgraphField {
    /// The type in the subgraph's schema.
    pub(super) ty: Name,
    /// The field set of `@requires`.
    pub(super) requires: Option<FieldSetText>,
    /// The arguments with `@fromContext`.
    pub(super) contexts: Vec<SubgraphContext>,
    /// The field set of `@provides`.
    pub(super) provides: Option<FieldSetText>,
    /// The availability without regard to `progressive_override`.
    pub(super) availability: FieldAvailability,
    /// The label of an `@override`, and the side on which the subgraph is.
    pub(super) progressive_override: Option<(Name, OverrideSide)>,
}

/// A field argument with `@fromContext`.
#[derive(Clone, Debug)]
pub(super) struct SubgraphContext {
    pub(super) argument: Name,
    /// The argument's type in the subgraph's schema.
    pub(super) ty: Name,
    /// The types that set the context.
    pub(super) setters: Vec<Name>,
    /// The selection on those types.
    pub(super) selection: FieldSetText,
}

/// The text of a field set, and its location.
#[derive(Clone, Debug)]
pub(super) struct FieldSetText {
    pub(super) text: String,
    pub(super) span: Span,
}

/// A side of an `@override` with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OverrideSide {
    /// The overriding subgraph: resolves the field while the label is active.
    To,
    /// The overridden subgraph: resolves the field while the label is inactive.
    From,
}

/// The places at which a subgraph resolves a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldAvailability {
    /// Everywhere.
    Always,
    /// Below fields with a matching `@provides`: the field is `@external`.
    Provided,
    /// In keys only: another subgraph overrides the field (`@override`).
    Overridden,
}
