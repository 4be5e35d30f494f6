//! The variables that a connector uses, and the field sets of their members.

use std::ops::Range;
use std::sync::Arc;

use super::Reader;
use super::connect_directive::ConnectDirective;
use crate::connector::{RequiredSetting, SettingOrigin};
use crate::key::FieldSet;
use crate::mapping::{UsedField, VariableUse};
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::types::Types;

/// Every use of a variable.
pub(super) struct VariableUses {
    uses: Uses,
    /// The uses in `isSuccess` and `errors`, which belong to no key.
    after_response: Uses,
    in_base_url: Uses,
}

/// Uses of variables, each with the literal that contains it.
type Uses = Vec<(VariableUse, Arc<Literal>)>;

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
        Self {
            uses,
            after_response: uses_after_response(directive),
            in_base_url: uses_in_base_url(directive),
        }
    }

    /// The members of `$config` and `$env` that have no default, each once.
    pub(super) fn required_settings(&self, reader: &Reader<'_>) -> Vec<RequiredSetting> {
        let mut settings: Vec<RequiredSetting> = Vec::new();
        let others = self.uses.iter().chain(&self.after_response);
        let others = others.map(|it| (it, false));
        let all = others.chain(self.in_base_url.iter().map(|it| (it, true)));
        for ((variable, literal), is_in_base_url) in all {
            let origin = match variable.name.as_str() {
                "config" => SettingOrigin::Configuration,
                "env" => SettingOrigin::Environment,
                _ => continue,
            };
            for (path, range) in required_paths(&variable.fields) {
                let is_known =
                    |known: &RequiredSetting| known.origin == origin && known.path == path;
                if !settings.iter().any(is_known) {
                    settings.push(RequiredSetting {
                        origin,
                        path,
                        span: span(reader, literal, &range),
                        is_in_base_url,
                    });
                }
            }
        }
        settings
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

fn uses_in_base_url(directive: &ConnectDirective) -> Uses {
    let Some(source) = &directive.source else {
        return Uses::new();
    };
    let uses = source.base_url.value.variables().into_iter();
    uses.map(|it| (it, Arc::clone(&source.base_url.literal)))
        .collect()
}

fn uses_after_response(directive: &ConnectDirective) -> Uses {
    let source = directive.source.as_deref();
    let errors = [Some(&directive.errors), source.map(|it| &it.errors)];
    let errors = errors.into_iter().flatten();
    let mut mappings: Vec<_> = errors
        .flat_map(|errors| [errors.message.as_ref(), errors.extensions.as_ref()])
        .collect();
    mappings.push(directive.is_success.as_ref());
    mappings.push(source.and_then(|it| it.is_success.as_ref()));
    let mut uses = Uses::new();
    for mapping in mappings.into_iter().flatten() {
        let variables = mapping.value.variables().into_iter();
        uses.extend(variables.map(|it| (it, Arc::clone(&mapping.literal))));
    }
    uses
}

/// The paths to the values that are read and have no default, with the range of their last key.
fn required_paths(fields: &[UsedField]) -> Vec<(Vec<String>, Range<usize>)> {
    let mut paths = Vec::new();
    for field in fields.iter().filter(|field| !field.is_optional) {
        let nested = required_paths(&field.fields);
        let name = || vec![field.name.clone()];
        if field.fields.is_empty() {
            paths.push((name(), field.range.clone()));
        }
        for (path, range) in nested {
            paths.push((name().into_iter().chain(path).collect(), range));
        }
    }
    paths
}

fn join(set: &mut FieldSet, fields: &[UsedField]) {
    for field in fields {
        join(set.insert(&field.name), &field.fields);
    }
}

fn span(reader: &Reader<'_>, literal: &Literal, range: &Range<usize>) -> Span {
    Span::new(&reader.sdl.document, literal.source_range(range))
}
