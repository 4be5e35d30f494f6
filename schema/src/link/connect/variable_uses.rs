//! The variables that a connector uses, and the field sets of their members.

use std::sync::Arc;

use super::Reader;
use super::connect_directive::ConnectDirective;
use crate::key::FieldSet;
use crate::mapping::{UsedField, VariableUse};
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::types::Types;

/// Every use of a variable, with the literal that contains it.
pub(super) struct VariableUses {
    uses: Vec<(VariableUse, Arc<Literal>)>,
}

impl VariableUses {
    /// Collects the uses in all texts of the connector and its source.
    pub(super) fn new(directive: &ConnectDirective) -> Self {
        let mut uses = Vec::new();
        let mut add = |variables: Vec<VariableUse>, literal: &Arc<Literal>| {
            uses.extend(variables.into_iter().map(|it| (it, Arc::clone(literal))));
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

    /// Whether the connector uses `$name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.uses.iter().any(|(it, _)| it.name == name)
    }

    /// The location of the first use of `$name`.
    pub(super) fn first_span(&self, name: &str, reader: &Reader<'_>) -> Option<Span> {
        let (variable, literal) = self.uses.iter().find(|(it, _)| it.name == name)?;
        Some(span(reader, literal, &variable.range))
    }

    /// The members of `$name` that the connector uses, as one field set.
    pub(super) fn fields(&self, name: &str) -> FieldSet {
        let mut set = FieldSet::default();
        for (variable, _) in self.uses.iter().filter(|(it, _)| it.name == name) {
            join(&mut set, &variable.fields);
        }
        set
    }
}

/// Whether `name` is the query or mutation root type.
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
