//! Formats of tags, judged where they stand: whether there is what their paths name, and whether
//! it has a text.

use std::ops::Range;

use super::Reader;
use crate::caching::format::{self, Path, Piece};
use crate::caching::{TagFormat, TagPart};
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::key::FieldSet;
use crate::sdl::literal::Literal;
use crate::span::Span;
use crate::types::{Argument, Field, Kind, Name, Nullability, TypeId, TypeRef};

/// What the paths of a format may name.
pub(super) enum Scope<'a> {
    /// Arguments of this field, by `$args`.
    Arguments(&'a Field),
    /// Parts of every one of these keys of this type, by `$key`.
    Keys(TypeId, &'a [FieldSet]),
}

/// The format that `literal` is; `None` when something was reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    literal: &Literal,
    scope: &Scope<'_>,
) -> Option<TagFormat> {
    let mut judge = Judge { reader, literal };
    let pieces = match format::parse(&literal.value) {
        Ok(pieces) => pieces,
        Err(problem) => {
            judge.refuse(&problem.range, problem.message, None);
            return None;
        }
    };
    let parts = pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => Some(TagPart::Text(text)),
        Piece::Path(path) => judge.path(path, scope),
    });
    // All of them are judged before the first one that is wrong ends it.
    let parts: Vec<Option<TagPart>> = parts.collect();
    let parts: Option<Vec<TagPart>> = parts.into_iter().collect();
    parts.map(TagFormat)
}

struct Judge<'a, 'r> {
    reader: &'a mut Reader<'r>,
    literal: &'a Literal,
}

/// One step along a path: what is there.
struct Step<'a> {
    ty: &'a TypeRef,
    /// Whether null can stand there, and nothing stands in for it.
    nullable: bool,
}

impl<'a> Step<'a> {
    fn argument(argument: &'a Argument) -> Self {
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

impl Judge<'_, '_> {
    fn path(&mut self, path: Path, scope: &Scope<'_>) -> Option<TagPart> {
        let (wanted, wrong, message) = match scope {
            Scope::Arguments(_) => (
                "args",
                Code::CacheTagInvalidFormatArgumentOnRootField,
                "a tag of a field is made of its arguments, which are `$args`",
            ),
            Scope::Keys(..) => (
                "key",
                Code::CacheTagInvalidFormatArgumentOnEntity,
                "a tag of an entity is made of its key, which is `$key`",
            ),
        };
        if path.root != wanted {
            let at = self.place(&path.range);
            let help = format!("write `{{${wanted}.…}}`");
            let problem = Diagnostic::error(wrong, at, message).help(Some(help));
            self.reader.problems.push(problem);
            return None;
        }
        if path.names.is_empty() {
            let message = format!("`${wanted}` is not a text by itself");
            let help = format!("name a part of it, as in `{{${wanted}.id}}`");
            self.refuse(&path.range, message, Some(help));
            return None;
        }
        match scope {
            Scope::Arguments(field) => self.along_arguments(&path, field)?,
            Scope::Keys(ty, keys) => {
                self.along_fields(&path, *ty)?;
                self.in_every_key(&path, (*ty, keys))?;
            }
        }
        let names = path.names.into_iter().map(|(name, _)| name).collect();
        Some(match scope {
            Scope::Arguments(_) => TagPart::Argument(names),
            Scope::Keys(..) => TagPart::Key(names),
        })
    }

    fn along_arguments(&mut self, path: &Path, field: &Field) -> Option<()> {
        let types = self.reader.types;
        let mut inside: Option<&TypeRef> = None;
        let mut nullable = None;
        for (index, (name, range)) in path.names.iter().enumerate() {
            let (members, of) = match inside {
                None => (Some(&field.arguments), field.name.to_string()),
                Some(ty) => {
                    let ty = types.get(ty.named());
                    let Kind::Input(fields) = &ty.kind else {
                        return self.no_fields(range, &ty.name);
                    };
                    (Some(fields), ty.name.to_string())
                }
            };
            let members = members?;
            let Some(argument) = members.get(name) else {
                let what = if index == 0 { "an argument" } else { "a field" };
                let known = members.keys().map(|name| &**name);
                return self.unknown((name, range), (what, &of), known);
            };
            let step = Step::argument(argument);
            self.not_a_list((name, range), &step)?;
            nullable = nullable.or_else(|| step.nullable.then(|| (Name::clone(name), range)));
            inside = Some(step.ty);
        }
        self.ends_in_a_leaf(path, inside?.named())?;
        if let Some((name, range)) = nullable {
            let message = format!("the tag is left out where `{name}` is null or not given");
            self.warn(Code::CacheTagFormatNullableArgument, range, message);
        }
        Some(())
    }

    fn along_fields(&mut self, path: &Path, ty: TypeId) -> Option<()> {
        let types = self.reader.types;
        let mut on = ty;
        let mut nullable = None;
        for (name, range) in &path.names {
            let definition = types.get(on);
            let Some(fields) = definition.fields() else {
                return self.no_fields(range, &definition.name);
            };
            let Some(field) = fields.get(name) else {
                let known = fields.keys().map(|name| &**name);
                return self.unknown((name, range), ("a field", &definition.name), known);
            };
            let step = Step::field(field);
            self.not_a_list((name, range), &step)?;
            nullable = nullable.or_else(|| step.nullable.then(|| (Name::clone(name), range)));
            on = step.ty.named();
        }
        self.ends_in_a_leaf(path, on)?;
        if let Some((name, range)) = nullable {
            let message = format!("the tag is left out where `{name}` is null");
            self.warn(Code::CacheTagFormatNullableField, range, message);
        }
        Some(())
    }

    fn in_every_key(&mut self, path: &Path, (ty, keys): (TypeId, &[FieldSet])) -> Option<()> {
        let mut set = FieldSet::default();
        let mut deepest = &mut set;
        for (name, _) in &path.names {
            deepest = deepest.enter(name);
        }
        let Some(lacking) = keys.iter().find(|key| !set.is_subset(key)) else {
            return Some(());
        };
        let message = format!(
            "`{}` can be asked for by the key `{lacking}`, which does not have this",
            self.reader.types.get(ty).name
        );
        let at = self.place(&path.range);
        let code = Code::CacheTagInvalidFormatFieldSetOnEntity;
        let help = "use what every resolvable key of the type has".to_owned();
        let problem = Diagnostic::error(code, at, message).help(Some(help));
        self.reader.problems.push(problem);
        None
    }

    fn unknown<'k>(
        &mut self,
        (name, range): (&str, &Range<usize>),
        (what, of): (&str, &str),
        known: impl Iterator<Item = &'k str>,
    ) -> Option<()> {
        let message = format!("`{name}` is not {what} of `{of}`");
        let help = nearest(name, known).map(|name| format!("write `{name}`"));
        self.refuse(range, message, help);
        None
    }

    fn no_fields(&mut self, range: &Range<usize>, ty: &str) -> Option<()> {
        self.refuse(range, format!("`{ty}` has no fields"), None);
        None
    }

    fn not_a_list(&mut self, (name, range): (&str, &Range<usize>), step: &Step<'_>) -> Option<()> {
        if let TypeRef::Named(..) = step.ty {
            return Some(());
        }
        let message = format!("`{name}` is a list, and a tag has one text");
        self.refuse(range, message, None);
        None
    }

    fn ends_in_a_leaf(&mut self, path: &Path, ty: TypeId) -> Option<()> {
        let ty = self.reader.types.get(ty);
        if let Kind::Scalar(_) | Kind::Enum(_) = ty.kind {
            return Some(());
        }
        let message = format!("this is a whole `{}`, and has no text", ty.name);
        let help = "go on to a scalar or an enum inside it".to_owned();
        self.refuse(&path.range, message, Some(help));
        None
    }

    fn refuse(&mut self, range: &Range<usize>, message: String, help: Option<String>) {
        let at = self.place(range);
        let problem = Diagnostic::error(Code::CacheTagInvalidFormat, at, message).help(help);
        self.reader.problems.push(problem);
    }

    fn warn(&mut self, code: Code, range: &Range<usize>, message: String) {
        let at = self.place(range);
        self.reader
            .problems
            .push(Diagnostic::warning(code, at, message));
    }

    fn place(&self, range: &Range<usize>) -> Span {
        let document = &self.reader.statements.document;
        Span::new(document, self.literal.place(range))
    }
}
