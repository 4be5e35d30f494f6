//! Which variables a connector uses, and the key they make.

use std::sync::Arc;

use super::Reader;
use super::connect_directive::ConnectDirective;
use crate::key::FieldSet;
use crate::mapping::{UsedField, VariableUse};
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::types::Types;

/// Every use of a variable, with the literal it stands in.
pub(super) struct VariableUses {
    uses: Vec<(VariableUse, Arc<Literal>)>,
}

impl VariableUses {
    /// Uses in everything that belongs to the connector, its source included.
    pub(super) fn new(directive: &ConnectDirective) -> Self {
        let mut uses = Vec::new();
        let mut add = |found: Vec<VariableUse>, literal: &Arc<Literal>| {
            uses.extend(found.into_iter().map(|it| (it, Arc::clone(literal))));
        };
        let http = &directive.http;
        add(http.url.value.variables(), &http.url.literal);
        let source = directive.source.as_deref();
        let source_mappings =
            source.map_or([None, None], |it| [it.path.as_ref(), it.query.as_ref()]);
        let own = [
            http.path.as_ref(),
            http.query.as_ref(),
            http.body.as_ref(),
            Some(&directive.selection),
        ];
        for mapping in own.into_iter().chain(source_mappings).flatten() {
            add(mapping.value.variables(), &mapping.literal);
        }
        let source_headers = source.map_or(&[][..], |source| &source.headers);
        for header in http.headers.iter().chain(source_headers) {
            if let (Some(literal), crate::connector::HeaderValue::Template(template)) =
                (&header.literal, &header.header.value)
            {
                add(template.variables(), literal);
            }
        }
        Self { uses }
    }

    /// Whether `$name` is used.
    pub(super) fn has(&self, name: &str) -> bool {
        self.uses.iter().any(|(it, _)| it.name == name)
    }

    /// Where `$name` is first used.
    pub(super) fn first_span(&self, name: &str, reader: &Reader<'_>) -> Option<Span> {
        let (found, literal) = self.uses.iter().find(|(it, _)| it.name == name)?;
        Some(span(reader, literal, &found.range))
    }

    /// The fields used below `$name`, joined.
    pub(super) fn fields(&self, name: &str) -> FieldSet {
        let mut set = FieldSet::default();
        for (found, _) in self.uses.iter().filter(|(it, _)| it.name == name) {
            join(&mut set, &found.fields);
        }
        set
    }
}

/// Whether `name` is the type of queries or mutations.
pub(super) fn is_root(types: &Types, name: &str) -> bool {
    let id = types.find(name);
    id.is_some() && (id == types.query() || id == types.mutation())
}

fn join(set: &mut FieldSet, fields: &[UsedField]) {
    for field in fields {
        join(set.insert(&field.name), &field.fields);
    }
}

fn span(reader: &Reader<'_>, literal: &Literal, range: &std::ops::Range<usize>) -> Span {
    Span::new(&reader.sdl.document, literal.source_range(range))
}
