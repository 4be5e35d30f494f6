//! Arguments of a directive, or members of an object inside one, with their places.

use std::ops::Range;
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Value};

use super::site::Site;
use super::{Placed, Reader, check};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::{Read, Reported};
use crate::mapping::Mapping;
use crate::mapping::ParseError;
use crate::sdl::literal::Literal;
use crate::sdl::{Sdl, range};
use crate::span::Span;
use crate::template::Template;

/// Named values that stand together.
pub(super) struct Args<'a> {
    sdl: &'a Sdl,
    members: Vec<(&'a str, &'a Node<Value>)>,
    whole: Range<usize>,
}

impl<'a> Args<'a> {
    pub(super) fn of(sdl: &'a Sdl, directive: &'a Node<Directive>) -> Self {
        Self {
            sdl,
            members: directive
                .arguments
                .iter()
                .map(|argument| (argument.name.as_str(), &argument.value))
                .collect(),
            whole: range(directive.location()),
        }
    }

    /// The members of an object value; none for anything else.
    pub(super) fn inside(sdl: &'a Sdl, value: &'a Node<Value>) -> Self {
        let members = value.as_object().unwrap_or_default();
        Self {
            sdl,
            members: members
                .iter()
                .map(|(name, value)| (name.as_str(), value))
                .collect(),
            whole: range(value.location()),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Node<Value>> {
        self.members
            .iter()
            .find(|(known, value)| *known == name && !value.is_null())
            .map(|(_, value)| *value)
    }

    /// The members of the object `name`.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Some(Self::inside(self.sdl, self.get(name)?))
    }

    /// Objects of the list `name`; a lone object is a list of one (GraphQL §3.11).
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        match self.get(name) {
            None => Vec::new(),
            Some(value) => match value.as_list() {
                Some(items) => items.iter().map(|it| Self::inside(self.sdl, it)).collect(),
                None => vec![Self::inside(self.sdl, value)],
            },
        }
    }

    pub(super) fn text(&self, name: &str) -> Option<Literal> {
        let value = self.get(name)?;
        let range = range(value.location());
        Some(Literal::new(
            &self.sdl.document.text,
            range,
            value.as_str()?,
        ))
    }

    /// Where the value `name` stands; everything when it is not there.
    pub(super) fn span_of(&self, name: &str) -> Span {
        self.get(name)
            .map_or_else(|| self.span(), |value| self.sdl.span(value.location()))
    }

    /// Where everything stands.
    pub(super) fn span(&self) -> Span {
        Span::new(&self.sdl.document, self.whole.clone())
    }

    /// The mapping `name`, if it is written; what it may not be at `site` is reported.
    pub(super) fn mapping(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        site: Site<'_>,
    ) -> Read<Option<Placed<Mapping>>> {
        let version = reader.link.version;
        let code = site.part.code();
        let placed = self.parsed(reader, name, code, |text| Mapping::parse(text, version))?;
        if let Some(placed) = &placed {
            check::mapping(reader, site, placed);
        }
        Ok(placed)
    }

    /// As `mapping`, for a template.
    pub(super) fn template(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        site: Site<'_>,
    ) -> Read<Option<Placed<Template>>> {
        let version = reader.link.version;
        let code = site.part.code();
        let placed = self.parsed(reader, name, code, |text| Template::parse(text, version))?;
        if let Some(placed) = &placed {
            check::template(reader, site, placed);
        }
        Ok(placed)
    }

    fn parsed<T>(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        code: Code,
        parse: impl Fn(&str) -> Result<T, ParseError>,
    ) -> Read<Option<Placed<T>>> {
        let Some(literal) = self.text(name) else {
            return self.not_there(reader, name);
        };
        match parse(&literal.value) {
            Ok(it) => Ok(Some(Placed {
                it: Arc::new(it),
                literal: Arc::new(literal),
            })),
            Err(error) => {
                let place = Span::new(&self.sdl.document, literal.place(&error.range));
                let problem = Diagnostic::error(code, place, error.message).help(error.help);
                reader.problems.push(problem);
                Err(Reported)
            }
        }
    }

    /// The scalars of the dialect take any literal as far as GraphQL knows; ours are strings.
    fn not_there<T>(&self, reader: &mut Reader<'_>, name: &str) -> Read<Option<T>> {
        if self.get(name).is_none() {
            return Ok(None);
        }
        let message = format!("`{name}` must be a string");
        let problem = Diagnostic::error(Code::GraphqlError, self.span_of(name), message);
        reader.problems.push(problem);
        Err(Reported)
    }
}
