//! `@source`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::args::Args;
use super::http::{self, PlacedHeader};
use super::{Placed, Reader};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::Read;
use crate::mapping::Mapping;
use crate::sdl::called;
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
pub(super) fn read(reader: &mut Reader<'_>) -> IndexMap<String, Arc<SourceDirective>> {
    let sdl = reader.sdl;
    let mut found: IndexMap<String, Arc<SourceDirective>> = IndexMap::new();
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
        if let Some(source) = source(reader, &args, &name) {
            found.insert(name, Arc::new(source));
        }
    }
    found
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
    let base_url = http.template(reader, "baseURL", Code::InvalidUrl);
    if let Ok(Some(base_url)) = &base_url {
        http::check_absolute(reader, &base_url.literal, http.span_of("baseURL"));
    }
    let headers = http::headers(reader, &http);
    let path = http.mapping(reader, "path", Code::InvalidUrlProperty);
    let query = http.mapping(reader, "queryParams", Code::InvalidUrlProperty);
    let errors = errors(reader, args);
    let is_success = args.mapping(reader, "isSuccess", Code::InvalidIsSuccess);
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
pub(super) fn errors(reader: &mut Reader<'_>, args: &Args<'_>) -> Read<Errors> {
    let Some(inside) = args.object("errors") else {
        return Ok(Errors {
            message: None,
            extensions: None,
        });
    };
    let message = inside.mapping(reader, "message", Code::InvalidErrorsMessage);
    let extensions = inside.mapping(reader, "extensions", Code::InvalidErrorsMessage);
    Ok(Errors {
        message: message?,
        extensions: extensions?,
    })
}
