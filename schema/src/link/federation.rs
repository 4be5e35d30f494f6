//! Services that speak GraphQL, as composing subgraphs or reading a supergraph leaves them: what
//! each of them has, under which keys it can be entered, what it must be told.
//!
//! Both ways into a graph end here, and `views` makes sources of it.

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

/// A service that speaks GraphQL, in the words of its own schema. Root types have the names that
/// the graph gives them.
#[derive(Clone, Debug)]
pub(super) struct SubgraphSchema {
    pub(super) name: Name,
    pub(super) url: Option<Name>,
    pub(super) types: IndexMap<Name, SubgraphType>,
}

/// A type as one service has it.
#[derive(Clone, Debug)]
pub(super) struct SubgraphType {
    pub(super) kind: SubgraphTypeKind,
    /// In the order written.
    pub(super) keys: Vec<SubgraphKey>,
    /// Of objects and interfaces.
    pub(super) fields: IndexMap<Name, SubgraphField>,
    /// The object types of a union, or those that implement an interface, in this service.
    pub(super) members: Vec<Name>,
}

/// What a type is to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SubgraphTypeKind {
    Object,
    Interface,
    /// `@interfaceObject`: an interface of the graph that is an object here.
    InterfaceObject,
    Union,
    /// A scalar or an enum.
    Leaf,
}

/// `@key`.
#[derive(Clone, Debug)]
pub(super) struct SubgraphKey {
    /// `id organization { id }`.
    pub(super) fields: FieldSetText,
    /// Whether objects can be asked for by it.
    pub(super) resolvable: bool,
}

/// A field as one service has it.
#[derive(Clone, Debug)]
pub(super) struct SubgraphField {
    /// Its type as the service writes it.
    pub(super) ty: Name,
    /// `@requires`.
    pub(super) requires: Option<FieldSetText>,
    /// `@fromContext` of its arguments.
    pub(super) contexts: Vec<SubgraphContext>,
    /// `@provides`.
    pub(super) provides: Option<FieldSetText>,
    /// Without regard to `progress`.
    pub(super) availability: FieldAvailability,
    /// `@override` with this label, and on which side of it the service is.
    pub(super) progressive_override: Option<(Name, OverrideSide)>,
}

/// An argument that comes from a context.
#[derive(Clone, Debug)]
pub(super) struct SubgraphContext {
    pub(super) argument: Name,
    /// The argument's type as the service writes it.
    pub(super) ty: Name,
    /// The types that set the context.
    pub(super) setters: Vec<Name>,
    /// What is taken of them.
    pub(super) selection: FieldSetText,
}

/// Fields that a directive names, as written, and where.
#[derive(Clone, Debug)]
pub(super) struct FieldSetText {
    pub(super) text: String,
    pub(super) span: Span,
}

/// A side of `@override` with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OverrideSide {
    /// It gives the field while the label is on.
    To,
    /// It gives the field while the label is off.
    From,
}

/// Where a service gives a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldAvailability {
    /// Wherever the type is.
    Always,
    /// Where a field above says so with `@provides`: `@external`.
    Provided,
    /// In keys only: another service has taken the field over (`@override`).
    Overridden,
}
