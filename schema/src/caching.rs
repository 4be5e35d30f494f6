//! What the graph says about keeping what its sources give: how long, for whom, under which tags,
//! and what a mutation makes invalid.
//!
//! Said by each subgraph for its own part of a type. Nothing here decides what is kept: the
//! sources' answers and the operator have their say too.

use std::collections::HashMap;

use crate::types::{Name, TypeId, Types};

pub(crate) mod format;

/// What one subgraph says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheDirectives {
    pub(crate) types: HashMap<TypeId, TypeCacheDirectives>,
    pub(crate) fields: HashMap<(TypeId, Name), FieldCacheDirectives>,
}

/// What is said on a type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeCacheDirectives {
    /// `@cacheControl`.
    pub hint: Option<CacheHint>,
    /// `@cacheTag`, each.
    pub tags: Vec<TagFormat>,
}

/// What is said on a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldCacheDirectives {
    /// `@cacheControl`.
    pub hint: Option<CacheHint>,
    /// `@cacheTag`, each; on root fields of queries only.
    pub tags: Vec<TagFormat>,
    /// What a root field of a mutation makes invalid.
    pub invalidates: Vec<Invalidation>,
}

/// `@cacheControl(maxAge:, scope:, inheritMaxAge:)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheHint {
    /// Seconds; 0 is "not at all".
    pub max_age: Option<u32>,
    /// For whom.
    pub scope: Option<CacheScope>,
    /// As long as what it is inside of.
    pub inherits_max_age: bool,
}

/// Who may be given a kept value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheScope {
    /// Everybody.
    Public,
    /// The caller it was fetched for.
    Private,
}

/// The text of a tag, with values of the operation in it: `product-{$key.id}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagFormat(pub Vec<TagPart>);

/// A part of a tag's text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TagPart {
    /// As it stands.
    Text(Box<str>),
    /// `{$args.a.b}`: an argument of the field.
    Argument(Box<[Name]>),
    /// `{$key.a.b}`: a part of the entity's key.
    Key(Box<[Name]>),
}

/// What a mutation makes invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalidation {
    /// The entity, or the entities, that the field returns.
    Returned,
    /// Everything with this tag.
    Tag(TagFormat),
    /// Everything of this type, which may be abstract or a root.
    Type(TypeId),
}

impl CacheDirectives {
    /// What is said on a type.
    pub fn type_directives(&self, ty: TypeId) -> Option<&TypeCacheDirectives> {
        self.types.get(&ty)
    }

    /// What is said on a field.
    pub fn field_directives(&self, ty: TypeId, field: &Name) -> Option<&FieldCacheDirectives> {
        self.fields.get(&(ty, Name::clone(field)))
    }

    /// What holds for a field: its own hint, and member by member that of the type it returns.
    pub fn hint(&self, types: &Types, ty: TypeId, field: &Name) -> Option<CacheHint> {
        let field_hint = self.field_directives(ty, field).and_then(|said| said.hint);
        let returned = types.get(ty).field(field).map(|it| it.ty.named_type());
        let returned = returned.filter(|returned| types.get(*returned).is_composite());
        let type_hint = returned.and_then(|returned| self.type_directives(returned)?.hint);
        match (field_hint, type_hint) {
            (Some(own), Some(of_type)) => Some(own.with_fallback(of_type)),
            (own, of_type) => own.or(of_type),
        }
    }
}

impl CacheHint {
    /// The members of `self`, and those of `below` that it lacks. Who says how long does not
    /// inherit it.
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
