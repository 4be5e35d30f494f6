//! One subgraph's SDL, parsed and validated on its own, with positions.
//!
//! Checks that need other subgraphs are in `link`.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use apollo_compiler::ast;
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::{FileId, Parser, SourceSpan};
use apollo_compiler::schema::{Directive, Schema, SchemaBuilder};
use apollo_compiler::validation::{DiagnosticData, DiagnosticList, WithErrors};

use self::links::Links;
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::span::{Document, Span};
use crate::subgraph::Subgraph;
use crate::types::Name;

pub(crate) mod definitions;
pub(crate) mod federation;
mod help;
pub(crate) mod links;
pub(crate) mod literal;
mod roots;
mod strip;

/// A subgraph's parsed SDL; it may be invalid, which is then reported.
#[derive(Debug)]
pub(crate) struct Sdl {
    pub(crate) name: Name,
    pub(crate) url: Option<Name>,
    pub(crate) document: Document,
    /// The document's own definitions and the built-in scalars. Root types have their default
    /// names.
    pub(crate) schema: Schema,
    /// The default names of the root types that were renamed, each with its own name.
    pub(crate) renamed_roots: Vec<(Name, Name)>,
    pub(crate) links: Links,
    file: FileId,
}

/// Maximum number of tokens: enough for thousands of types, without exhausting memory.
const TOKEN_LIMIT: usize = 4_000_000;

/// Maximum nesting in levels; parsing is recursive.
const RECURSION_LIMIT: usize = 200;

/// Parses and validates the SDL of `subgraph`; `None` after a syntax error.
pub(crate) fn read(subgraph: &Subgraph, problems: &mut Problems) -> Option<Sdl> {
    let document = &subgraph.document;
    let parsed = Parser::new()
        .token_limit(TOKEN_LIMIT)
        .recursion_limit(RECURSION_LIMIT)
        .parse_ast(document.text.as_ref(), document.name.as_ref());
    let ast = match parsed {
        Ok(ast) => ast,
        Err(WithErrors { partial, errors }) => {
            let links = Links::default();
            let spans = ParserSpans::new(document, &partial, &links);
            problems.extend(spans.diagnostics(&errors, Code::SdlSyntax));
            return None;
        }
    };
    let links = links::read(document, &ast, problems);
    let spans = ParserSpans::new(document, &ast, &links);
    let file = spans.file?;
    let (schema, errors) = build(&definitions::own_definitions(&ast, &links), &links);
    problems.extend(spans.diagnostics(&errors, Code::SdlInvalid));
    let mut sdl = Sdl {
        name: Arc::clone(&subgraph.name),
        url: subgraph.url.clone(),
        document: document.clone(),
        schema,
        renamed_roots: Vec::new(),
        links,
        file,
    };
    strip::strip_definitions(&mut sdl);
    roots::rename(&mut sdl, problems);
    Some(sdl)
}

fn build(ast: &ast::Document, links: &Links) -> (Schema, DiagnosticList) {
    let built = SchemaBuilder::new()
        .adopt_orphan_extensions()
        .add_ast(ast)
        .parse(
            definitions::missing_definitions(ast, links),
            "definitions.graphql",
        )
        .build();
    let (schema, mut errors) = match built {
        Ok(schema) => {
            let sources = Arc::clone(&schema.sources);
            (schema, DiagnosticList::new(sources))
        }
        Err(WithErrors { partial, errors }) => (partial, errors),
    };
    if let Err(WithErrors { errors: more, .. }) = schema.clone().validate() {
        errors.merge(more);
    }
    (schema, errors)
}

impl Sdl {
    /// The position of a node in the document.
    pub(crate) fn span(&self, location: Option<SourceSpan>) -> Span {
        Span::new(&self.document, range(location))
    }

    /// Whether a node is in the document, rather than in a definition added to it.
    pub(crate) fn is_written(&self, location: Option<SourceSpan>) -> bool {
        location.is_some_and(|location| location.file_id() == self.file)
    }
}

/// The bytes of a position; the start of the document if there is none.
pub(crate) fn range(location: Option<SourceSpan>) -> Range<usize> {
    location.map_or(0..0, |location| location.offset()..location.end_offset())
}

/// Converts positions and errors of the parser to diagnostics.
struct ParserSpans<'a> {
    document: &'a Document,
    file: Option<FileId>,
    connect_ranges: Vec<Range<usize>>,
    links: &'a Links,
}

impl<'a> ParserSpans<'a> {
    fn new(document: &'a Document, ast: &ast::Document, links: &'a Links) -> Self {
        let built_in = FileId::BUILT_IN;
        let file = ast.sources.keys().find(|id| **id != built_in).copied();
        Self {
            document,
            file,
            connect_ranges: connect_ranges(ast, links),
            links,
        }
    }

    fn diagnostics<'e>(
        &'e self,
        errors: &'e DiagnosticList,
        code: Code,
    ) -> impl Iterator<Item = Diagnostic> + 'e {
        let mut seen: HashSet<(usize, String)> = HashSet::new();
        errors
            .iter()
            .filter(|error| !is_expected(error.error))
            .map(move |error| self.diagnostic(error.error, code))
            .filter(move |diagnostic| {
                let at = diagnostic.labels.first().map_or(0, |l| l.span.range.start);
                seen.insert((at, diagnostic.message.clone()))
            })
    }

    fn diagnostic(&self, error: &DiagnosticData, code: Code) -> Diagnostic {
        let range = error
            .location()
            .filter(|location| Some(location.file_id()) == self.file)
            .map(|location| location.offset()..location.end_offset());
        let message = readable_message(&error.to_string());
        let Some(range) = range else {
            return Diagnostic::without_span(code, message);
        };
        let in_connect = self
            .connect_ranges
            .iter()
            .any(|connect| connect.start <= range.start && range.end <= connect.end);
        let code = if in_connect && code == Code::SdlInvalid {
            Code::GraphqlError
        } else {
            code
        };
        let word = self.document.text.get(range.clone());
        let help = help::help(&message, word, self.links);
        Diagnostic::error(code, Span::new(self.document, range), message).help(help)
    }
}

/// Replaces the parser's internal token names by the tokens.
fn readable_message(message: &str) -> String {
    const TOKENS: [(&str, &str); 12] = [
        ("R_PAREN", "`)`"),
        ("L_PAREN", "`(`"),
        ("R_CURLY", "`}`"),
        ("L_CURLY", "`{`"),
        ("R_BRACK", "`]`"),
        ("L_BRACK", "`[`"),
        ("COLON", "`:`"),
        ("BANG", "`!`"),
        ("PIPE", "`|`"),
        ("AMP", "`&`"),
        ("EQ", "`=`"),
        ("EOF", "the end"),
    ];
    let message = message.strip_prefix("syntax error: ").unwrap_or(message);
    TOKENS
        .iter()
        .fold(message.to_owned(), |message, (name, text)| {
            message.replace(name, text)
        })
}

/// Whether the error is a rule of whole schemas only: a subgraph may have no query root.
fn is_expected(error: &DiagnosticData) -> bool {
    error.unstable_error_name() == Some("QueryRootOperationType")
}

fn connect_ranges(ast: &ast::Document, links: &Links) -> Vec<Range<usize>> {
    let Some(connect) = &links.connect else {
        return Vec::new();
    };
    let mut ranges = Vec::new();
    for definition in &ast.definitions {
        let mut add_ranges = |directives: &ast::DirectiveList| {
            for directive in &directives.0 {
                if connect.has_directive(&directive.name) {
                    ranges.extend(directive.location().map(|at| at.offset()..at.end_offset()));
                }
            }
        };
        add_ranges(definition.directives());
        if let Some(fields) = fields_of(definition) {
            for field in fields {
                add_ranges(&field.directives);
            }
        }
    }
    ranges
}

fn fields_of(
    definition: &ast::Definition,
) -> Option<&[apollo_compiler::Node<ast::FieldDefinition>]> {
    use ast::Definition as D;
    match definition {
        D::ObjectTypeDefinition(it) => Some(&it.fields),
        D::ObjectTypeExtension(it) => Some(&it.fields),
        D::InterfaceTypeDefinition(it) => Some(&it.fields),
        D::InterfaceTypeExtension(it) => Some(&it.fields),
        _ => None,
    }
}

/// The directives of a type that are called `name`, in document order.
pub(crate) fn directives_named<'a>(
    list: &'a apollo_compiler::schema::DirectiveList,
    name: &'a str,
) -> impl Iterator<Item = &'a apollo_compiler::Node<Directive>> {
    list.iter()
        .filter(move |directive| directive.name == name)
        .map(|component| &component.node)
}

/// The directives of a field that are called `name`, in document order.
pub(crate) fn field_directives_named<'a>(
    list: &'a ast::DirectiveList,
    name: &'a str,
) -> impl Iterator<Item = &'a apollo_compiler::Node<Directive>> {
    list.0
        .iter()
        .filter(move |directive| directive.name == name)
}
