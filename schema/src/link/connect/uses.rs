//! Which variables a connector uses, checked against the schema, and the key they make.

use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::key::FieldSet;
use crate::mapping::{UsedField, VariableUse};
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::types::{Argument, Kind, TypeId, Types};
use indexmap::IndexMap;
use std::sync::Arc;

use super::{Place, Reader, Written};

/// Every use of a variable, with the literal it stands in.
pub(super) struct Uses {
    uses: Vec<(VariableUse, Arc<Literal>)>,
}

impl Uses {
    /// Uses in everything that belongs to the connector, its source included.
    pub(super) fn of(written: &Written) -> Self {
        let mut uses = Vec::new();
        let mut add = |found: Vec<VariableUse>, literal: &Arc<Literal>| {
            uses.extend(found.into_iter().map(|it| (it, Arc::clone(literal))));
        };
        let http = &written.http;
        add(http.url.it.variables(), &http.url.literal);
        let source = written.source.as_deref();
        let source_mappings =
            source.map_or([None, None], |it| [it.path.as_ref(), it.query.as_ref()]);
        let own = [
            http.path.as_ref(),
            http.query.as_ref(),
            http.body.as_ref(),
            Some(&written.selection),
        ];
        for mapping in own.into_iter().chain(source_mappings).flatten() {
            add(mapping.it.variables(), &mapping.literal);
        }
        let source_headers = source.map_or(&[][..], |source| &source.headers);
        for header in http.headers.iter().chain(source_headers) {
            if let (Some(literal), crate::connector::HeaderValue::Template(template)) =
                (&header.literal, &header.it.value)
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
    pub(super) fn first(&self, name: &str, reader: &Reader<'_>) -> Option<Span> {
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

    /// Reports fields below `$args`, `$this` and `$batch` that do not exist.
    pub(super) fn check(&self, reader: &mut Reader<'_>, place: Place<'_>) {
        for (found, literal) in &self.uses {
            match (found.name.as_str(), place) {
                ("args", Place::Field(owner, field)) => {
                    let types = reader.types;
                    let arguments = types
                        .find(&owner.name)
                        .and_then(|id| types.get(id).field(&field.name))
                        .map(|field| &field.arguments);
                    let known = arguments.map_or_else(IndexMap::new, Clone::clone);
                    check_inputs(reader, literal, (&found.fields, &place.name()), &known);
                }
                ("args", Place::Type(_)) => report(
                    reader,
                    Code::UndefinedArgument,
                    span(reader, literal, &found.range),
                    "a connector on a type has no arguments",
                    Some("use `$this` or `$batch`".to_owned()),
                ),
                ("this" | "batch", place) => {
                    if !allowed(reader, found, literal, place) {
                        continue;
                    }
                    if let Some(id) = reader.types.find(&place.owner().name) {
                        check_fields(reader, literal, &found.fields, id);
                    }
                }
                _ => {}
            }
        }
    }
}

/// Whether `$this` or `$batch` may be used as it is; reports it otherwise.
fn allowed(
    reader: &mut Reader<'_>,
    found: &VariableUse,
    literal: &Literal,
    place: Place<'_>,
) -> bool {
    let root = is_root(reader.types, &place.owner().name);
    let message = match (found.name.as_str(), place) {
        ("batch", Place::Field(..)) => "`$batch` is there for connectors on types only",
        ("this", Place::Field(..)) if root => "a root field has no `$this`",
        _ if found.fields.is_empty() => "name the fields that are used",
        _ => return true,
    };
    let span = span(reader, literal, &found.range);
    report(reader, Code::UndefinedField, span, message, None);
    false
}

/// Whether `name` is the type of queries or mutations.
pub(super) fn is_root(types: &Types, name: &str) -> bool {
    let id = types.find(name);
    id.is_some() && (id == types.query() || id == types.mutation())
}

fn join(set: &mut FieldSet, fields: &[UsedField]) {
    for field in fields {
        join(set.enter(&field.name), &field.fields);
    }
}

fn span(reader: &Reader<'_>, literal: &Literal, range: &std::ops::Range<usize>) -> Span {
    Span::new(&reader.sdl.document, literal.place(range))
}

fn report(reader: &mut Reader<'_>, code: Code, span: Span, message: &str, help: Option<String>) {
    reader
        .problems
        .push(Diagnostic::error(code, span, message).help(help));
}

fn check_inputs(
    reader: &mut Reader<'_>,
    literal: &Literal,
    (fields, owner): (&[UsedField], &str),
    known: &IndexMap<crate::types::Name, Argument>,
) {
    for field in fields {
        let Some(argument) = known.get(field.name.as_str()) else {
            let help = nearest(&field.name, known.keys().map(AsRef::as_ref))
                .map(|close| format!("write `{close}`"));
            let message = format!("`{}` is not an argument of `{owner}`", field.name);
            let span = span(reader, literal, &field.range);
            report(reader, Code::UndefinedArgument, span, &message, help);
            continue;
        };
        let ty = reader.types.get(argument.ty.named());
        if let Kind::Input(inner) = &ty.kind {
            let name = ty.name.to_string();
            check_inputs(reader, literal, (&field.fields, &name), &inner.clone());
        }
    }
}

fn check_fields(reader: &mut Reader<'_>, literal: &Literal, fields: &[UsedField], on: TypeId) {
    let ty = reader.types.get(on);
    for field in fields {
        if let Some(definition) = ty.field(&field.name) {
            if reader.types.get(definition.ty.named()).is_composite() {
                check_fields(reader, literal, &field.fields, definition.ty.named());
            }
            continue;
        }
        let known = ty.fields().into_iter().flat_map(IndexMap::keys);
        let help =
            nearest(&field.name, known.map(AsRef::as_ref)).map(|close| format!("write `{close}`"));
        let message = format!("`{}` is not a field of `{}`", field.name, ty.name);
        let span = span(reader, literal, &field.range);
        report(reader, Code::UndefinedField, span, &message, help);
    }
}
