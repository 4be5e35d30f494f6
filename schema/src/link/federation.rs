//! Services that speak GraphQL, as composing subgraphs or reading a supergraph leaves them: what
//! each of them has, under which keys it can be entered, what it must be told.
//!
//! Both ways into a graph end here, and `views` makes sources of it.

use indexmap::IndexMap;

use crate::span::Span;
use crate::types::Name;

pub(super) use self::fields::read as read_fields;
pub(super) use self::progressive::sources;
use self::views::views;

mod contexts;
mod fields;
mod needs;
mod parsed;
mod progressive;
mod provided;
mod views;

/// A service that speaks GraphQL, in the words of its own schema. Root types have the names that
/// the graph gives them.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) name: Name,
    pub(super) url: Option<Name>,
    pub(super) types: IndexMap<Name, ServiceType>,
}

/// A type as one service has it.
#[derive(Clone, Debug)]
pub(super) struct ServiceType {
    pub(super) kind: ServiceKind,
    /// In the order written.
    pub(super) keys: Vec<ServiceKey>,
    /// Of objects and interfaces.
    pub(super) fields: IndexMap<Name, ServiceField>,
    /// The object types of a union, or those that implement an interface, in this service.
    pub(super) members: Vec<Name>,
}

/// What a type is to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceKind {
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
pub(super) struct ServiceKey {
    /// `id organization { id }`.
    pub(super) fields: Written,
    /// Whether objects can be asked for by it.
    pub(super) resolvable: bool,
}

/// A field as one service has it.
#[derive(Clone, Debug)]
pub(super) struct ServiceField {
    /// Its type as the service writes it.
    pub(super) ty: Name,
    /// `@requires`.
    pub(super) requires: Option<Written>,
    /// `@fromContext` of its arguments.
    pub(super) contexts: Vec<ServiceContext>,
    /// `@provides`.
    pub(super) provides: Option<Written>,
    /// Without regard to `progress`.
    pub(super) given: Given,
    /// `@override` with this label, and on which side of it the service is.
    pub(super) progress: Option<(Name, Side)>,
}

/// An argument that comes from a context.
#[derive(Clone, Debug)]
pub(super) struct ServiceContext {
    pub(super) argument: Name,
    /// The argument's type as the service writes it.
    pub(super) ty: Name,
    /// The types that set the context.
    pub(super) setters: Vec<Name>,
    /// What is taken of them.
    pub(super) selection: Written,
}

/// Fields that a directive names, as written, and where.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) text: String,
    pub(super) at: Span,
}

/// A side of `@override` with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It gives the field while the label is on.
    Takes,
    /// It gives the field while the label is off.
    Loses,
}

/// Where a service gives a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Wherever the type is.
    Always,
    /// Where a field above says so with `@provides`: `@external`.
    Provided,
    /// In keys only: another service has taken the field over (`@override`).
    Overridden,
}
