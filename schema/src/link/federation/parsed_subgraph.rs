//! A service whose `@key`, `@requires` and `@provides` are read.

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

/// A service, read.
pub(super) struct ParsedSubgraph<'a> {
    pub(super) subgraph: &'a SubgraphSchema,
    pub(super) types: IndexMap<&'a str, ParsedType<'a>>,
    /// Which types give more by what; asked again and again while types nest.
    adds_memo: RefCell<HashMap<(Name, Arc<ProvidedFields>), bool>>,
}

/// A type that has fields or members.
pub(super) struct ParsedType<'a> {
    pub(super) id: TypeId,
    pub(super) kind: SubgraphTypeKind,
    /// The objects that it may be.
    pub(super) members: Vec<&'a str>,
    /// Those that objects can be asked for by.
    pub(super) keys: Vec<FieldSet>,
    pub(super) fields: IndexMap<&'a str, ParsedField>,
}

/// A field.
pub(super) struct ParsedField {
    /// As the service writes it.
    pub(super) ty: Name,
    /// The composite type in it.
    pub(super) child: Option<Name>,
    /// Whether it is given wherever the type is.
    pub(super) is_always_available: bool,
    /// Whether it is given as a part of a key only.
    pub(super) only_in_keys: bool,
    pub(super) requires: Option<Arc<[Requirement]>>,
    pub(super) contexts: Arc<[ContextArgument]>,
    /// What is given below it beyond what is given everywhere.
    pub(super) provides: ProvidedFields,
}

impl<'a> ParsedSubgraph<'a> {
    /// Reads `service`; what cannot be read is reported and left out.
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
        let read = composite.filter_map(|(name, written)| {
            let id = types.find(name)?;
            Some((name.as_ref(), reader.read_type(name, id, written)))
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

    /// Whether `field` may be asked for of everything at a place of type `ty` that gives `extra`:
    /// of an interface, whether each of its members gives it as it is.
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
    /// Whether `owner` has the field, and gives more of it where `inner` is given in it.
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
        let answer = self.adds_memo.borrow().get(&memo_key).copied();
        answer.unwrap_or_else(|| {
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
    fn read_type(&mut self, name: &str, id: TypeId, written: &'a SubgraphType) -> ParsedType<'a> {
        let mut keys = Vec::new();
        let mut keyed = ProvidedFields::default();
        for key in &written.keys {
            let place = format!("`{name}` in `{}`", self.subgraph.name);
            let read = fields::parse_key(&key.fields.text, name, self.subgraph)
                .map_err(|why| FieldSetDirective::Key.diagnostic(&key.fields, &place, &why));
            let Some(set) = self.problems.ok_or_push(read) else {
                continue;
            };
            keyed.merge(&ProvidedFields::from_key(&set, name, self.subgraph));
            if key.resolvable && !keys.contains(&set) {
                keys.push(set);
            }
        }
        let mut fields = IndexMap::new();
        for (field_name, field) in &written.fields {
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
            kind: written.kind,
            members: self.members(name, written),
            keys,
            fields,
        }
    }

    /// An interface that is an object here may implement another; of which type its objects are
    /// the service could not say there, so they are left out.
    fn members(&mut self, name: &str, written: &'a SubgraphType) -> Vec<&'a str> {
        let mut members = Vec::new();
        for member in &written.members {
            match self.subgraph.types.get(member).map(|it| it.kind) {
                Some(SubgraphTypeKind::Object) => members.push(member.as_ref()),
                Some(SubgraphTypeKind::InterfaceObject) => {
                    let message = format!(
                        "`{}` gives a `{member}` as a `{name}`, which is not supported: `{member}` \
                         is an interface object there",
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
        let place = format!("`{owner}.{name}` in `{}`", self.subgraph.name);
        let child = composite_type(self.subgraph, &field.ty);
        if child.is_some() != self.is_composite(&field.ty) {
            // An external field of a type that the service does not have is given nowhere.
            return None;
        }
        let requires = field.requires.as_ref().and_then(|written| {
            let read = requirements(&written.text, id, self.types)
                .map_err(|why| FieldSetDirective::Requires.diagnostic(written, &place, &why));
            self.problems.ok_or_push(read)
        });
        let contexts = self.contexts(&place, field);
        let requires = match requires {
            None if !contexts.is_empty() => Some(Arc::default()),
            requires => requires,
        };
        let provides = field.provides.as_ref().and_then(|written| {
            let read = match &child {
                Some(child) => ProvidedFields::read(&written.text, child, self.subgraph),
                None => Err("its type has no fields".to_owned()),
            };
            let read =
                read.map_err(|why| FieldSetDirective::Provides.diagnostic(written, &place, &why));
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

    fn contexts(&mut self, place: &str, field: &SubgraphField) -> Arc<[ContextArgument]> {
        let written = field.contexts.iter();
        let read = written.filter_map(|context| {
            if context.setters.is_empty() {
                let message = format!(
                    "`{}` of {place} comes from a context that nothing sets",
                    context.argument
                );
                let at = context.selection.span.clone();
                let problem = Diagnostic::error(Code::ContextNotSet, at, message);
                self.problems.push(problem);
                return None;
            }
            let read = contexts::read(context, self.types).map_err(|why| {
                let place = format!("`{}` of {place}", context.argument);
                FieldSetDirective::FromContext.diagnostic(&context.selection, &place, &why)
            });
            self.problems.ok_or_push(read)
        });
        read.collect()
    }

    fn is_composite(&self, ty: &str) -> bool {
        let ty = self.types.find(inner_type_name(ty));
        ty.is_some_and(|ty| self.types.get(ty).is_composite())
    }
}
