//! A subgraph schema with parsed `@key`, `@requires`, `@provides` and `@fromContext`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::contexts;
use super::fields::{self, FieldSetDirective, composite_type, inner_type_name};
use super::provided::ProvidedFields;
use super::requirements::requirements;
use super::{FieldAvailability, SubgraphField, SubgraphSchema, SubgraphType, SubgraphTypeKind};
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::key::{ContextArgument, FieldSet, Requirement};
use crate::types::{Name, TypeId, Types};

/// A subgraph schema with parsed field sets.
pub(super) struct ParsedSubgraph<'a> {
    pub(super) subgraph: &'a SubgraphSchema,
    pub(super) types: IndexMap<&'a str, ParsedType<'a>>,
    /// Results of `ProvidedFields::adds_fields`, which nested types need repeatedly.
    adds_memo: RefCell<HashMap<(Name, Arc<ProvidedFields>), bool>>,
}

/// A composite type of a subgraph.
pub(super) struct ParsedType<'a> {
    pub(super) id: TypeId,
    pub(super) kind: SubgraphTypeKind,
    /// The possible object types of an abstract type.
    pub(super) members: Vec<&'a str>,
    /// The resolvable keys.
    pub(super) keys: Vec<FieldSet>,
    pub(super) fields: IndexMap<&'a str, ParsedField>,
}

/// A field of a composite type of a subgraph.
pub(super) struct ParsedField {
    /// The type in the subgraph's schema.
    pub(super) ty: Name,
    /// The composite type named in `ty`.
    pub(super) child: Option<Name>,
    /// Whether the subgraph resolves it everywhere.
    pub(super) is_always_available: bool,
    /// Whether the subgraph resolves it as part of a key only.
    pub(super) only_in_keys: bool,
    pub(super) requires: Option<Arc<[Requirement]>>,
    pub(super) contexts: Arc<[ContextArgument]>,
    /// The fields available below it in addition to those available everywhere.
    pub(super) provides: ProvidedFields,
}

impl<'a> ParsedSubgraph<'a> {
    /// Parses `subgraph`; invalid field sets are reported and left out.
    pub(super) fn read(
        subgraph: &'a SubgraphSchema,
        types: &Types,
        problems: &mut Problems,
    ) -> Self {
        let mut reader = Reader {
            subgraph,
            types,
            problems,
        };
        let composite = subgraph
            .types
            .iter()
            .filter(|(_, it)| it.kind != SubgraphTypeKind::Leaf);
        let read = composite.filter_map(|(name, definition)| {
            let id = types.find(name)?;
            Some((name.as_ref(), reader.read_type(name, id, definition)))
        });
        Self {
            subgraph,
            types: read.collect(),
            adds_memo: RefCell::default(),
        }
    }

    pub(super) fn field(&self, ty: &str, field: &str) -> Option<&ParsedField> {
        self.types.get(ty)?.fields.get(field)
    }

    pub(super) fn members(&self, ty: &str) -> &[&'a str] {
        self.types.get(ty).map_or(&[], |it| &it.members)
    }

    /// Whether `field` can be selected on every object of type `ty` at a place with the additional
    /// fields `provided`: for an abstract type, whether each member has it without requirements.
    pub(super) fn is_available(&self, ty: &str, provided: &ProvidedFields, field: &str) -> bool {
        let Some(known) = self.field(ty, field) else {
            return false;
        };
        let members = self.members(ty);
        if members.is_empty() {
            return known.is_always_available || provided.fields.contains_key(field);
        }
        members.iter().all(|member| {
            let more = provided.on.get(*member);
            let is_provided = more.is_some_and(|more| more.fields.contains_key(field));
            self.field(member, field)
                .is_some_and(|it| (it.is_always_available || is_provided) && it.requires.is_none())
        })
    }
}

impl ParsedSubgraph<'_> {
    /// Whether providing `field` of `owner` with `inner` below it adds anything to the fields that
    /// are available everywhere.
    pub(super) fn adds_fields(
        &self,
        owner: &str,
        field: &str,
        inner: &Arc<ProvidedFields>,
    ) -> bool {
        let Some(known) = self.field(owner, field) else {
            return false;
        };
        if !self.is_available(owner, &ProvidedFields::default(), field) {
            return true;
        }
        let Some(child) = known.child.as_ref().filter(|_| !inner.is_empty()) else {
            return false;
        };
        let memo_key = (Name::clone(child), Arc::clone(inner));
        let memo = self.adds_memo.borrow().get(&memo_key).copied();
        memo.unwrap_or_else(|| {
            let adds = inner.adds_fields(child, self);
            self.adds_memo.borrow_mut().insert(memo_key, adds);
            adds
        })
    }
}

struct Reader<'a, 'p> {
    subgraph: &'a SubgraphSchema,
    types: &'p Types,
    problems: &'p mut Problems,
}

impl<'a> Reader<'a, '_> {
    fn read_type(
        &mut self,
        name: &str,
        id: TypeId,
        definition: &'a SubgraphType,
    ) -> ParsedType<'a> {
        let mut keys = Vec::new();
        let mut keyed = ProvidedFields::default();
        for key in &definition.keys {
            let coordinate = format!("`{name}` in `{}`", self.subgraph.name);
            let read = fields::parse_key(&key.fields.text, name, self.subgraph)
                .map_err(|why| FieldSetDirective::Key.diagnostic(&key.fields, &coordinate, &why));
            let Some(set) = self.problems.ok_or_push(read) else {
                continue;
            };
            keyed.merge(&ProvidedFields::from_key(&set, name, self.subgraph));
            if key.resolvable && !keys.contains(&set) {
                keys.push(set);
            }
        }
        let mut fields = IndexMap::new();
        for (field_name, field) in &definition.fields {
            if let Some(mut read) = self.read_field(name, field_name, id, field) {
                if let Some(inner) = keyed.fields.get(field_name) {
                    read.is_always_available = true;
                    read.provides.merge(inner);
                }
                fields.insert(field_name.as_ref(), read);
            }
        }
        ParsedType {
            id,
            kind: definition.kind,
            members: self.members(name, definition),
            keys,
            fields,
        }
    }

    /// The object types among the members. An `@interfaceObject` that implements an interface is
    /// reported and left out: the subgraph cannot return the `__typename` of its objects.
    fn members(&mut self, name: &str, definition: &'a SubgraphType) -> Vec<&'a str> {
        let mut members = Vec::new();
        for member in &definition.members {
            match self.subgraph.types.get(member).map(|it| it.kind) {
                Some(SubgraphTypeKind::Object) => members.push(member.as_ref()),
                Some(SubgraphTypeKind::InterfaceObject) => {
                    let message = format!(
                        "`{member}`, an `@interfaceObject` in `{}`, implements `{name}`, which is not \
                         supported",
                        self.subgraph.name
                    );
                    let code = Code::UnsupportedLinkedFeature;
                    let mut problem = Diagnostic::without_span(code, message);
                    problem.severity = Severity::Warning;
                    self.problems.push(problem);
                }
                _ => {}
            }
        }
        members
    }

    fn read_field(
        &mut self,
        owner: &str,
        name: &str,
        id: TypeId,
        field: &SubgraphField,
    ) -> Option<ParsedField> {
        let coordinate = format!("`{owner}.{name}` in `{}`", self.subgraph.name);
        let child = composite_type(self.subgraph, &field.ty);
        if child.is_some() != self.is_composite(&field.ty) {
            // The subgraph does not define the type of an external field, so it never resolves it.
            return None;
        }
        let requires = field.requires.as_ref().and_then(|field_set| {
            let read = requirements(&field_set.text, id, self.types).map_err(|why| {
                FieldSetDirective::Requires.diagnostic(field_set, &coordinate, &why)
            });
            self.problems.ok_or_push(read)
        });
        let contexts = self.contexts(&coordinate, field);
        let requires = match requires {
            None if !contexts.is_empty() => Some(Arc::default()),
            requires => requires,
        };
        let provides = field.provides.as_ref().and_then(|field_set| {
            let read = match &child {
                Some(child) => ProvidedFields::read(&field_set.text, child, self.subgraph),
                None => Err("the type of the field has no fields".to_owned()),
            };
            let read = read.map_err(|why| {
                FieldSetDirective::Provides.diagnostic(field_set, &coordinate, &why)
            });
            self.problems.ok_or_push(read)
        });
        Some(ParsedField {
            ty: Arc::clone(&field.ty),
            child,
            is_always_available: field.availability == FieldAvailability::Always,
            only_in_keys: field.availability == FieldAvailability::Overridden,
            requires,
            contexts,
            provides: provides.unwrap_or_default(),
        })
    }

    fn contexts(&mut self, coordinate: &str, field: &SubgraphField) -> Arc<[ContextArgument]> {
        let contexts = field.contexts.iter();
        let contexts = contexts.filter_map(|context| {
            if context.setters.is_empty() {
                let message = format!(
                    "argument `{}` of {coordinate} comes from a context that no type sets",
                    context.argument
                );
                let at = context.selection.span.clone();
                let problem = Diagnostic::error(Code::ContextNotSet, at, message);
                self.problems.push(problem);
                return None;
            }
            let read = contexts::read(context, self.types).map_err(|why| {
                let coordinate = format!("`{}` of {coordinate}", context.argument);
                FieldSetDirective::FromContext.diagnostic(&context.selection, &coordinate, &why)
            });
            self.problems.ok_or_push(read)
        });
        contexts.collect()
    }

    fn is_composite(&self, ty: &str) -> bool {
        let ty = self.types.find(inner_type_name(ty));
        ty.is_some_and(|ty| self.types.get(ty).is_composite())
    }
}
