//! Checks the formats of cache tags: their paths must exist, and end in a scalar or an enum.

use std::ops::Range;

use super::Reader;
use crate::caching::format::{self, FormatPart, Path};
use crate::caching::{TagFormat, TagPart};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::key::FieldSet;
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::types::{ArgumentDefinition, Field, Name, Nullability, TypeId, TypeKind, TypeRef};

/// The values that the paths of a format may name.
pub(super) enum FormatScope<'a> {
    /// `$args`: arguments of this field.
    Arguments(&'a Field),
    /// `$key`: fields of this type that all of these keys contain.
    Keys(TypeId, &'a [FieldSet]),
}

/// Parses and checks a format; `None` when a problem was reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    literal: &Literal,
    scope: &FormatScope<'_>,
) -> Option<TagFormat> {
    let mut checker = FormatChecker { reader, literal };
    let parts = match format::parse(&literal.value) {
        Ok(parts) => parts,
        Err(problem) => {
            checker.report_error(&problem.range, problem.message, None);
            return None;
        }
    };
    let parts = parts.into_iter().map(|part| match part {
        FormatPart::Text(text) => Some(TagPart::Text(text)),
        FormatPart::Path(path) => checker.check_path(path, scope),
    });
    // Collected first, so that every path is checked although one fails.
    let parts: Vec<Option<TagPart>> = parts.collect();
    let parts: Option<Vec<TagPart>> = parts.into_iter().collect();
    parts.map(TagFormat)
}

struct FormatChecker<'a, 'r> {
    reader: &'a mut Reader<'r>,
    literal: &'a Literal,
}

/// The value at one step of a path.
struct PathStep<'a> {
    ty: &'a TypeRef,
    /// Whether the value can be null, with no default in its place.
    nullable: bool,
}

impl<'a> PathStep<'a> {
    fn argument(argument: &'a ArgumentDefinition) -> Self {
        let nullable = argument.ty.nullability() == Nullability::Nullable;
        Self {
            ty: &argument.ty,
            nullable: nullable && argument.default.is_none(),
        }
    }

    fn field(field: &'a Field) -> Self {
        Self {
            ty: &field.ty,
            nullable: field.ty.nullability() == Nullability::Nullable,
        }
    }
}

impl FormatChecker<'_, '_> {
    fn check_path(&mut self, path: Path, scope: &FormatScope<'_>) -> Option<TagPart> {
        let (root, code, message) = match scope {
            FormatScope::Arguments(_) => (
                "args",
                Code::CacheTagInvalidFormatArgumentOnRootField,
                "the tag of a field is built from its arguments: use `$args`",
            ),
            FormatScope::Keys(..) => (
                "key",
                Code::CacheTagInvalidFormatArgumentOnEntity,
                "the tag of an entity is built from its key: use `$key`",
            ),
        };
        if path.root != root {
            let span = self.span(&path.range);
            let help = format!("write `{{${root}.…}}`");
            let problem = Diagnostic::error(code, span, message).help(Some(help));
            self.reader.problems.push(problem);
            return None;
        }
        if path.names.is_empty() {
            let message = format!("`${root}` is an object, and a tag needs a scalar");
            let help = format!("name one of its fields, as in `{{${root}.id}}`");
            self.report_error(&path.range, message, Some(help));
            return None;
        }
        match scope {
            FormatScope::Arguments(field) => self.check_argument_path(&path, field)?,
            FormatScope::Keys(ty, keys) => {
                self.check_field_path(&path, *ty)?;
                self.check_in_every_key(&path, *ty, keys)?;
            }
        }
        let names = path.names.into_iter().map(|(name, _)| name).collect();
        Some(match scope {
            FormatScope::Arguments(_) => TagPart::Argument(names),
            FormatScope::Keys(..) => TagPart::Key(names),
        })
    }

    fn check_argument_path(&mut self, path: &Path, field: &Field) -> Option<()> {
        let types = self.reader.types;
        let mut inside: Option<&TypeRef> = None;
        let mut nullable = None;
        for (index, (name, range)) in path.names.iter().enumerate() {
            let (members, owner) = match inside {
                None => (Some(&field.arguments), &field.name),
                Some(ty) => {
                    let ty = types.get(ty.named_type());
                    let TypeKind::InputObject(fields) = &ty.kind else {
                        return self.report_no_fields(range, &ty.name);
                    };
                    (Some(fields), &ty.name)
                }
            };
            let members = members?;
            let Some(argument) = members.get(name) else {
                let kind = if index == 0 { "an argument" } else { "a field" };
                let known = members.keys().map(|name| &**name);
                return self.report_unknown(name, range, &format!("{kind} of `{owner}`"), known);
            };
            let step = PathStep::argument(argument);
            self.check_not_list(name, range, &step)?;
            nullable = nullable.or_else(|| step.nullable.then(|| (Name::clone(name), range)));
            inside = Some(step.ty);
        }
        self.check_ends_in_leaf(path, inside?.named_type())?;
        if let Some((name, range)) = nullable {
            let message = format!("the tag is omitted where `{name}` is null or absent");
            self.report_warning(Code::CacheTagFormatNullableArgument, range, message);
        }
        Some(())
    }

    fn check_field_path(&mut self, path: &Path, ty: TypeId) -> Option<()> {
        let types = self.reader.types;
        let mut on = ty;
        let mut nullable = None;
        for (name, range) in &path.names {
            let definition = types.get(on);
            let Some(fields) = definition.fields() else {
                return self.report_no_fields(range, &definition.name);
            };
            let Some(field) = fields.get(name) else {
                let known = fields.keys().map(|name| &**name);
                let kind = format!("a field of `{}`", definition.name);
                return self.report_unknown(name, range, &kind, known);
            };
            let step = PathStep::field(field);
            self.check_not_list(name, range, &step)?;
            nullable = nullable.or_else(|| step.nullable.then(|| (Name::clone(name), range)));
            on = step.ty.named_type();
        }
        self.check_ends_in_leaf(path, on)?;
        if let Some((name, range)) = nullable {
            let message = format!("the tag is omitted where `{name}` is null");
            self.report_warning(Code::CacheTagFormatNullableField, range, message);
        }
        Some(())
    }

    fn check_in_every_key(&mut self, path: &Path, ty: TypeId, keys: &[FieldSet]) -> Option<()> {
        let mut set = FieldSet::default();
        let mut deepest = &mut set;
        for (name, _) in &path.names {
            deepest = deepest.insert(name);
        }
        let Some(without) = keys.iter().find(|key| !set.is_subset(key)) else {
            return Some(());
        };
        let message = format!(
            "`{}` can be fetched by the key `{without}`, which does not contain this field",
            self.reader.types.get(ty).name
        );
        let span = self.span(&path.range);
        let code = Code::CacheTagInvalidFormatFieldSetOnEntity;
        let help = "use a field that every resolvable key of the type contains".to_owned();
        let problem = Diagnostic::error(code, span, message).help(Some(help));
        self.reader.problems.push(problem);
        None
    }

    fn report_unknown<'k>(
        &mut self,
        name: &str,
        range: &Range<usize>,
        kind: &str,
        known: impl Iterator<Item = &'k str>,
    ) -> Option<()> {
        let message = format!("`{name}` is not {kind}");
        let help = nearest(name, known).map(|name| format!("write `{name}`"));
        self.report_error(range, message, help);
        None
    }

    fn report_no_fields(&mut self, range: &Range<usize>, ty: &str) -> Option<()> {
        self.report_error(range, format!("`{ty}` has no fields"), None);
        None
    }

    fn check_not_list(
        &mut self,
        name: &str,
        range: &Range<usize>,
        step: &PathStep<'_>,
    ) -> Option<()> {
        if let TypeRef::Named(..) = step.ty {
            return Some(());
        }
        let message = format!("`{name}` is a list, and a tag needs a scalar");
        self.report_error(range, message, None);
        None
    }

    fn check_ends_in_leaf(&mut self, path: &Path, ty: TypeId) -> Option<()> {
        let ty = self.reader.types.get(ty);
        if let TypeKind::Scalar(_) | TypeKind::Enum(_) = ty.kind {
            return Some(());
        }
        let message = format!("this is a `{}` object, and a tag needs a scalar", ty.name);
        let help = "continue the path to a scalar or an enum".to_owned();
        self.report_error(&path.range, message, Some(help));
        None
    }

    fn report_error(&mut self, range: &Range<usize>, message: String, help: Option<String>) {
        let span = self.span(range);
        let problem = Diagnostic::error(Code::CacheTagInvalidFormat, span, message).help(help);
        self.reader.problems.push(problem);
    }

    fn report_warning(&mut self, code: Code, range: &Range<usize>, message: String) {
        let span = self.span(range);
        self.reader
            .problems
            .push(Diagnostic::warning(code, span, message));
    }

    fn span(&self, range: &Range<usize>) -> Span {
        let document = &self.reader.declared.document;
        Span::new(document, self.literal.source_range(range))
    }
}
