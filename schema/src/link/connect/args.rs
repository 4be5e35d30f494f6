//! Arguments of a directive, or members of a nested object, with their locations.

use std::ops::Range;
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, Value};

use super::site::Site;
use super::{Located, Reader, check};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::{Reported, ReportedResult};
use crate::mapping::Mapping;
use crate::mapping::ParseError;
use crate::sdl::literal::Literal;
use crate::sdl::{Sdl, range};
use crate::span::Span;
use crate::template::Template;

/// The arguments of one directive, or the members of one object.
pub(super) struct Args<'a> {
    sdl: &'a Sdl,
    members: Vec<(&'a str, &'a Node<Value>)>,
    range: Range<usize>,
}

impl<'a> Args<'a> {
    pub(super) fn from_directive(sdl: &'a Sdl, directive: &'a Node<Directive>) -> Self {
        Self {
            sdl,
            members: directive
                .arguments
                .iter()
                .map(|argument| (argument.name.as_str(), &argument.value))
                .collect(),
            range: range(directive.location()),
        }
    }

    /// The members of an object value; empty for any other value.
    pub(super) fn from_object(sdl: &'a Sdl, value: &'a Node<Value>) -> Self {
        let members = value.as_object().unwrap_or_default();
        Self {
            sdl,
            members: members
                .iter()
                .map(|(name, value)| (name.as_str(), value))
                .collect(),
            range: range(value.location()),
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
        Some(Self::from_object(self.sdl, self.get(name)?))
    }

    /// The objects of the list `name`; a single object is a list of one (GraphQL §3.11).
    pub(super) fn objects(&self, name: &str) -> Vec<Self> {
        match self.get(name) {
            None => Vec::new(),
            Some(value) => match value.as_list() {
                Some(items) => items
                    .iter()
                    .map(|it| Self::from_object(self.sdl, it))
                    .collect(),
                None => vec![Self::from_object(self.sdl, value)],
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

    /// The location of the value `name`; of all arguments where it is absent.
    pub(super) fn span_of(&self, name: &str) -> Span {
        self.get(name)
            .map_or_else(|| self.span(), |value| self.sdl.span(value.location()))
    }

    /// The location of all arguments.
    pub(super) fn span(&self) -> Span {
        Span::new(&self.sdl.document, self.range.clone())
    }

    /// Parses the mapping `name` and checks it for `site`; `None` where it is absent.
    pub(super) fn mapping(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        site: Site<'_>,
    ) -> ReportedResult<Option<Located<Mapping>>> {
        let version = reader.link.version;
        let code = site.argument.code();
        let parsed = self.parse_text(reader, name, code, |text| Mapping::parse(text, version))?;
        if let Some(parsed) = &parsed {
            check::mapping(reader, site, parsed);
        }
        Ok(parsed)
    }

    /// Parses the template `name` and checks it for `site`; `None` where it is absent.
    pub(super) fn template(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        site: Site<'_>,
    ) -> ReportedResult<Option<Located<Template>>> {
        let version = reader.link.version;
        let code = site.argument.code();
        let parsed = self.parse_text(reader, name, code, |text| Template::parse(text, version))?;
        if let Some(parsed) = &parsed {
            check::template(reader, site, parsed);
        }
        Ok(parsed)
    }

    fn parse_text<T>(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
        code: Code,
        parse: impl Fn(&str) -> Result<T, ParseError>,
    ) -> ReportedResult<Option<Located<T>>> {
        let Some(literal) = self.text(name) else {
            return self.report_non_string(reader, name);
        };
        match parse(&literal.value) {
            Ok(it) => Ok(Some(Located {
                value: Arc::new(it),
                literal: Arc::new(literal),
            })),
            Err(error) => {
                let span = Span::new(&self.sdl.document, literal.source_range(&error.range));
                let problem = Diagnostic::error(code, span, error.message).help(error.help);
                reader.problems.push(problem);
                Err(Reported)
            }
        }
    }

    /// Reports a value that is not a string: GraphQL accepts any literal for the scalars of the
    /// dialect.
    fn report_non_string<T>(
        &self,
        reader: &mut Reader<'_>,
        name: &str,
    ) -> ReportedResult<Option<T>> {
        if self.get(name).is_none() {
            return Ok(None);
        }
        let message = format!("`{name}` must be a string");
        let problem = Diagnostic::error(Code::GraphqlError, self.span_of(name), message);
        reader.problems.push(problem);
        Err(Reported)
    }
}
