//! Cache directives of the graph: lifetimes, scopes, tags, and invalidation by mutations.
//!
//! Each subgraph has its own directives for the types and fields that it defines. The cache rules
//! also depend on response headers and on the configuration; they are not compiled here.

use std::collections::HashMap;

use crate::types::{Name, TypeId, Types};

pub(crate) mod format;

/// The cache directives of one subgraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheDirectives {
    pub(crate) types: HashMap<TypeId, TypeCacheDirectives>,
    pub(crate) fields: HashMap<(TypeId, Name), FieldCacheDirectives>,
}

/// The cache directives of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeCacheDirectives {
    /// The type's `@cacheControl`.
    pub hint: Option<CacheHint>,
    /// The formats of its `@cacheTag` directives.
    pub tags: Vec<TagFormat>,
}

/// The cache directives of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldCacheDirectives {
    /// The field's `@cacheControl`.
    pub hint: Option<CacheHint>,
    /// The formats of its `@cacheTag` directives; on fields of `Query` only.
    pub tags: Vec<TagFormat>,
    /// The cache entries that a field of `Mutation` invalidates.
    pub invalidates: Vec<Invalidation>,
}

/// `@cacheControl(maxAge:, scope:, inheritMaxAge:)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheHint {
    /// Lifetime in seconds; 0 disables caching.
    pub max_age: Option<u32>,
    /// The callers that share a cached value.
    pub scope: Option<CacheScope>,
    /// Whether the lifetime is that of the parent.
    pub inherits_max_age: bool,
}

/// The callers that share a cached value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheScope {
    /// All callers.
    Public,
    /// The caller of the request that fetched it.
    Private,
}

/// The format of a cache tag: `product-{$key.id}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagFormat(pub Vec<TagPart>);

/// A part of a tag format.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TagPart {
    /// Literal text.
    Text(Box<str>),
    /// `{$args.a.b}`: an argument of the field, or a member of one.
    Argument(Box<[Name]>),
    /// `{$key.a.b}`: a field of the entity's key.
    Key(Box<[Name]>),
}

/// Cache entries that a mutation invalidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalidation {
    /// The entries of the entity or entities that the field returns.
    Returned,
    /// The entries with this tag.
    Tag(TagFormat),
    /// The entries of this type, which may be abstract or a root.
    Type(TypeId),
}

impl TagFormat {
    /// Whether it refers to no argument and no key.
    pub fn is_constant(&self) -> bool {
        let mut parts = self.0.iter();
        parts.all(|part| matches!(part, TagPart::Text(_)))
    }
}

impl CacheDirectives {
    /// The cache directives of a type; `None` if it has none.
    pub fn type_directives(&self, ty: TypeId) -> Option<&TypeCacheDirectives> {
        self.types.get(&ty)
    }

    /// The cache directives of a field; `None` if it has none.
    pub fn field_directives(&self, ty: TypeId, field: &Name) -> Option<&FieldCacheDirectives> {
        self.fields.get(&(ty, Name::clone(field)))
    }

    /// The effective hint of a field: its own, completed by the hint of the type it returns.
    pub fn hint(&self, types: &Types, ty: TypeId, field: &Name) -> Option<CacheHint> {
        let field_hint = self.field_hint(ty, field);
        let type_hint = composite_type(types, ty, field).and_then(|ty| self.type_hint(ty));
        completed_hint(field_hint, type_hint)
    }

    /// The effective hints of a field of every object type that `ty` stands for, each completed
    /// by the hint of every type that a returned value can have. All of them apply to a value
    /// whose concrete types are unknown.
    pub fn possible_hints(&self, types: &Types, ty: TypeId, field: &Name) -> Vec<CacheHint> {
        let mut hints = Vec::new();
        for owner in types.with_possible_types(ty) {
            let field_hint = self.field_hint(owner, field);
            let Some(returned) = composite_type(types, owner, field) else {
                hints.extend(field_hint);
                continue;
            };
            let returned = types.with_possible_types(returned);
            let completed = returned.map(|ty| completed_hint(field_hint, self.type_hint(ty)));
            hints.extend(completed.flatten());
        }
        hints
    }

    fn field_hint(&self, ty: TypeId, field: &Name) -> Option<CacheHint> {
        self.field_directives(ty, field)?.hint
    }

    fn type_hint(&self, ty: TypeId) -> Option<CacheHint> {
        self.type_directives(ty)?.hint
    }
}

/// The object, interface or union that a field returns.
fn composite_type(types: &Types, ty: TypeId, field: &Name) -> Option<TypeId> {
    let returned = types.get(ty).field(field)?.ty.named_type();
    types.get(returned).is_composite().then_some(returned)
}

fn completed_hint(
    field_hint: Option<CacheHint>,
    type_hint: Option<CacheHint>,
) -> Option<CacheHint> {
    match (field_hint, type_hint) {
        (Some(field_hint), Some(type_hint)) => Some(field_hint.with_fallback(type_hint)),
        (field_hint, type_hint) => field_hint.or(type_hint),
    }
}

impl CacheHint {
    /// Completes `self` with the members of `fallback` that it lacks. A hint with a lifetime does
    /// not inherit one.
    pub(crate) fn with_fallback(self, fallback: Self) -> Self {
        let max_age = self.max_age.or(fallback.max_age);
        Self {
            max_age,
            scope: self.scope.or(fallback.scope),
            inherits_max_age: max_age.is_none()
                && (self.inherits_max_age || fallback.inherits_max_age),
        }
    }
}
