//! `@source`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::args::Args;
use super::http::{self, PlacedHeader};
use super::site::{On, Part, Site};
use super::{Placed, Reader, url};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::Read;
use crate::mapping::Mapping;
use crate::sdl::called;
use crate::sdl::definitions::UNPREFIXED_SOURCE;
use crate::template::Template;

/// One `@source` whose texts all parsed.
#[derive(Debug)]
pub(super) struct SourceDirective {
    pub(super) name: String,
    pub(super) base_url: Placed<Template>,
    pub(super) headers: Vec<PlacedHeader>,
    pub(super) path: Option<Placed<Mapping>>,
    pub(super) query: Option<Placed<Mapping>>,
    pub(super) errors: Errors,
    pub(super) is_success: Option<Placed<Mapping>>,
}

/// `errors { message extensions }`.
#[derive(Clone, Debug)]
pub(super) struct Errors {
    pub(super) message: Option<Placed<Mapping>>,
    pub(super) extensions: Option<Placed<Mapping>>,
}

/// Every `@source` of the schema by name; the first of two with one name.
///
/// `None` stands for one that was reported, so that what names it is not reported too.
pub(super) fn read(reader: &mut Reader<'_>) -> IndexMap<String, Option<Arc<SourceDirective>>> {
    let sdl = reader.sdl;
    let mut found: IndexMap<String, Option<Arc<SourceDirective>>> = IndexMap::new();
    let directives = &sdl.schema.schema_definition.directives;
    let mut named: IndexMap<String, crate::span::Span> = IndexMap::new();
    for directive in called(directives, &reader.link.source) {
        let args = Args::of(sdl, directive);
        let Some(name) = args.text("name").map(|literal| literal.value) else {
            continue; // The validator reports a missing name.
        };
        let span = args.span_of("name");
        check_name(reader, &name, &args);
        if let Some(first) = named.get(&name) {
            reader.problems.push(
                Diagnostic::error(
                    Code::DuplicateSourceName,
                    span,
                    format!("the source name `{name}` is taken"),
                )
                .label(first.clone(), "first used here"),
            );
            continue;
        }
        named.insert(name.clone(), span);
        let source = source(reader, &args, &name);
        found.insert(name, source.map(Arc::new));
    }
    found
}

/// Says that a `@source` is not read because the link does not import it.
pub(super) fn not_imported(reader: &mut Reader<'_>) {
    let sdl = reader.sdl;
    let own_definition = sdl.schema.directive_definitions.get(UNPREFIXED_SOURCE);
    let theirs = own_definition.is_some_and(|definition| sdl.wrote(definition.location()));
    if reader.link.source == UNPREFIXED_SOURCE || theirs {
        return;
    }
    let local = &reader.link.source;
    for directive in called(&sdl.schema.schema_definition.directives, UNPREFIXED_SOURCE) {
        let span = sdl.span(directive.location());
        let message = "this `@source` is not read: the link does not import the name";
        let problem = Diagnostic::warning(Code::NoSourceImport, span, message)
            .label(reader.link.span.clone(), "the link")
            .help(Some(format!(
                "add `\"@source\"` to `import`, or write `@{local}`"
            )));
        reader.problems.push(problem);
    }
}

fn check_name(reader: &mut Reader<'_>, name: &str, args: &Args<'_>) {
    let span = args.span_of("name");
    if name.is_empty() {
        let message = "a source name cannot be empty";
        reader
            .problems
            .push(Diagnostic::error(Code::EmptySourceName, span, message));
        return;
    }
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let goes_on = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !starts || !goes_on || name.len() > MAX_NAME {
        reader.problems.push(
            Diagnostic::error(
                Code::InvalidSourceName,
                span,
                format!("`{name}` cannot be a source name"),
            )
            .help(Some(format!(
                "begin with a letter, then letters, digits, `_` and `-`, {MAX_NAME} at most"
            ))),
        );
    }
}

/// The reference's bound.
const MAX_NAME: usize = 64;

fn source(reader: &mut Reader<'_>, args: &Args<'_>, name: &str) -> Option<SourceDirective> {
    let http = args.object("http")?;
    let on = On::Source;
    let base_url = http.template(reader, "baseURL", Site::new(on, Part::BaseUrl));
    if let Ok(Some(base_url)) = &base_url {
        url::check_absolute(reader, base_url, http.span_of("baseURL"));
    }
    let headers = http::headers(reader, &http, on);
    let path = http.mapping(reader, "path", Site::new(on, Part::Path));
    let query = http.mapping(reader, "queryParams", Site::new(on, Part::QueryParams));
    let errors = errors(reader, args, on);
    let is_success = args.mapping(reader, "isSuccess", Site::new(on, Part::IsSuccess));
    Some(SourceDirective {
        name: name.to_owned(),
        base_url: base_url.ok()??,
        headers,
        path: path.ok()?,
        query: query.ok()?,
        errors: errors.ok()?,
        is_success: is_success.ok()?,
    })
}

/// `errors` of a `@source` or `@connect`.
pub(super) fn errors(reader: &mut Reader<'_>, args: &Args<'_>, on: On<'_>) -> Read<Errors> {
    let Some(inside) = args.object("errors") else {
        return Ok(Errors {
            message: None,
            extensions: None,
        });
    };
    let message = inside.mapping(reader, "message", Site::new(on, Part::Message));
    let extensions = inside.mapping(reader, "extensions", Site::new(on, Part::Extensions));
    Ok(Errors {
        message: message?,
        extensions: extensions?,
    })
}
