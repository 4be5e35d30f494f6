//! `@source`: settings that connectors of a subgraph share.

use std::sync::Arc;

use indexmap::IndexMap;

use super::args::Args;
use super::http::{self, LocatedHeader};
use super::site::{DirectiveArgument, Site, SiteDirective};
use super::{Located, Reader, url};
use crate::diagnostic::{Code, Diagnostic};
use crate::link::ReportedResult;
use crate::mapping::Mapping;
use crate::sdl::definitions::UNPREFIXED_SOURCE;
use crate::sdl::directives_named;
use crate::template::Template;

/// One `@source` whose texts are all valid.
#[derive(Debug)]
pub(super) struct SourceDirective {
    pub(super) name: String,
    pub(super) base_url: Located<Template>,
    pub(super) headers: Vec<LocatedHeader>,
    pub(super) path: Option<Located<Mapping>>,
    pub(super) query: Option<Located<Mapping>>,
    pub(super) errors: ErrorMappings,
    pub(super) is_success: Option<Located<Mapping>>,
}

/// The mappings of `errors { message extensions }`.
#[derive(Clone, Debug)]
pub(super) struct ErrorMappings {
    pub(super) message: Option<Located<Mapping>>,
    pub(super) extensions: Option<Located<Mapping>>,
}

/// Reads every `@source` of the schema, by name; of duplicates the first.
///
/// `None` stands for a source with a reported problem, so that connectors with it are not reported
/// as well.
pub(super) fn read(reader: &mut Reader<'_>) -> IndexMap<String, Option<Arc<SourceDirective>>> {
    let sdl = reader.sdl;
    let mut sources: IndexMap<String, Option<Arc<SourceDirective>>> = IndexMap::new();
    let directives = &sdl.schema.schema_definition.directives;
    let mut spans: IndexMap<String, crate::span::Span> = IndexMap::new();
    for directive in directives_named(directives, &reader.link.source) {
        let args = Args::from_directive(sdl, directive);
        let Some(name) = args.text("name").map(|literal| literal.value) else {
            continue; // The validator reports a missing name.
        };
        let span = args.span_of("name");
        check_name(reader, &name, &args);
        if let Some(first) = spans.get(&name) {
            reader.problems.push(
                Diagnostic::error(
                    Code::DuplicateSourceName,
                    span,
                    format!("the source name `{name}` is already used"),
                )
                .label(first.clone(), "first used here"),
            );
            continue;
        }
        spans.insert(name.clone(), span);
        let source = source(reader, &args, &name);
        sources.insert(name, source.map(Arc::new));
    }
    sources
}

/// Warns of a `@source` that has no effect because the link does not import it.
pub(super) fn report_not_imported(reader: &mut Reader<'_>) {
    let sdl = reader.sdl;
    let own_definition = sdl.schema.directive_definitions.get(UNPREFIXED_SOURCE);
    let has_own_definition =
        own_definition.is_some_and(|definition| sdl.is_written(definition.location()));
    if reader.link.source == UNPREFIXED_SOURCE || has_own_definition {
        return;
    }
    let local = &reader.link.source;
    for directive in directives_named(&sdl.schema.schema_definition.directives, UNPREFIXED_SOURCE) {
        let span = sdl.span(directive.location());
        let message = "this `@source` has no effect: the link does not import `@source`";
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
    let has_valid_start = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let has_valid_rest = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !has_valid_start || !has_valid_rest || name.len() > MAX_NAME_LENGTH {
        reader.problems.push(
            Diagnostic::error(
                Code::InvalidSourceName,
                span,
                format!("`{name}` is not a valid source name"),
            )
            .help(Some(format!(
                "use a letter followed by letters, digits, `_` and `-`, at most {MAX_NAME_LENGTH} characters"
            ))),
        );
    }
}

/// Maximum length of a source name in bytes, as in the reference implementation.
const MAX_NAME_LENGTH: usize = 64;

fn source(reader: &mut Reader<'_>, args: &Args<'_>, name: &str) -> Option<SourceDirective> {
    let http = args.object("http")?;
    let directive = SiteDirective::Source;
    let base_url = http.template(
        reader,
        "baseURL",
        Site::new(directive, DirectiveArgument::BaseUrl),
    );
    if let Ok(Some(base_url)) = &base_url {
        url::check_absolute(reader, base_url, http.span_of("baseURL"));
    }
    let headers = http::headers(reader, &http, directive);
    let path = http.mapping(
        reader,
        "path",
        Site::new(directive, DirectiveArgument::Path),
    );
    let query = http.mapping(
        reader,
        "queryParams",
        Site::new(directive, DirectiveArgument::QueryParams),
    );
    let errors = errors(reader, args, directive);
    let is_success = args.mapping(
        reader,
        "isSuccess",
        Site::new(directive, DirectiveArgument::IsSuccess),
    );
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

/// Reads `errors` of a `@source` or `@connect`.
pub(super) fn errors(
    reader: &mut Reader<'_>,
    args: &Args<'_>,
    directive: SiteDirective<'_>,
) -> ReportedResult<ErrorMappings> {
    let Some(errors) = args.object("errors") else {
        return Ok(ErrorMappings {
            message: None,
            extensions: None,
        });
    };
    let message = errors.mapping(
        reader,
        "message",
        Site::new(directive, DirectiveArgument::Message),
    );
    let extensions = errors.mapping(
        reader,
        "extensions",
        Site::new(directive, DirectiveArgument::Extensions),
    );
    Ok(ErrorMappings {
        message: message?,
        extensions: extensions?,
    })
}
