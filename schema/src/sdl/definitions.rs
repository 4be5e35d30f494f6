//! Definitions that a document may use without defining them: those of `@link`, federation and
//! the connect specification, with the names that the document's links give them.

use std::collections::HashSet;
use std::fmt::Write;

use apollo_compiler::ast;

use super::federation::Directive;
use super::links::{ConnectLink, Links};

/// The document without its own definitions of federation directives, which in old documents may
/// lack arguments or locations.
pub(super) fn own_definitions(ast: &ast::Document, links: &Links) -> ast::Document {
    let mut own = ast.clone();
    own.definitions.retain(|definition| match definition {
        ast::Definition::DirectiveDefinition(it) => {
            let federation = links.directives.find(&it.name);
            federation.is_none_or(Directive::is_unlinkable)
        }
        _ => true,
    });
    own
}

/// The SDL of the known definitions that `ast` does not define itself.
pub(super) fn missing_definitions(ast: &ast::Document, links: &Links) -> String {
    let own: HashSet<String> = ast.definitions.iter().filter_map(definition_name).collect();
    let mut sdl = String::new();
    let mut add = |name: &str, text: &str| {
        if !own.contains(name) {
            sdl.push_str(text);
            sdl.push('\n');
        }
    };
    for (name, text) in BUILT_IN_DEFINITIONS {
        add(name, text);
    }
    for (local, definition) in links.directives.definitions() {
        let signature = definition.signature;
        add(
            &format!("@{local}"),
            &format!("directive @{local}{signature}"),
        );
    }
    if let Some(connect) = &links.connect {
        for (name, text) in connect_definitions(connect) {
            add(&name, &text);
        }
    }
    sdl
}

/// `@name` of a directive definition, `name` of a type definition.
fn definition_name(definition: &ast::Definition) -> Option<String> {
    let name = definition.name()?;
    match definition {
        ast::Definition::DirectiveDefinition(_) => Some(format!("@{name}")),
        _ if definition.is_extension_definition() => None,
        _ => Some(name.to_string()),
    }
}

/// Definitions of `@link` and of GraphQL features newer than `apollo_compiler`.
const BUILT_IN_DEFINITIONS: &[(&str, &str)] = &[
    (
        "@link",
        "directive @link(url: String!, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA",
    ),
    ("@oneOf", "directive @oneOf on INPUT_OBJECT"),
    ("link__Import", "scalar link__Import"),
    ("link__Purpose", "enum link__Purpose { SECURITY EXECUTION }"),
    (
        "CacheControlScope",
        "enum CacheControlScope { PUBLIC PRIVATE }",
    ),
];

fn connect_definitions(connect: &ConnectLink) -> Vec<(String, String)> {
    let link = &connect.link;
    let name = |original: &str| link.type_name(original);
    let mapping = name("JSONSelection");
    let url = name("URLTemplate");
    let header = name("HTTPHeaderMapping");
    let source_http = name("SourceHTTP");
    let connect_http = name("ConnectHTTP");
    let batch = name("ConnectBatch");
    let errors = name("ConnectorErrors");
    let mut methods = String::new();
    for (method, _) in crate::connector::Method::ALL {
        let _ = write!(methods, "{method}: {url} ");
    }
    let (source_name, connect_name) = (&connect.source, &connect.connect);
    let source_arguments =
        format!("name: String!, http: {source_http}!, errors: {errors}, isSuccess: {mapping}");
    let mut definitions = vec![
        (mapping.clone(), format!("scalar {mapping}")),
        (url.clone(), format!("scalar {url}")),
        (
            header.clone(),
            format!("input {header} {{ name: String! from: String value: String }}"),
        ),
        (batch.clone(), format!("input {batch} {{ maxSize: Int }}")),
        (
            errors.clone(),
            format!("input {errors} {{ message: {mapping} extensions: {mapping} }}"),
        ),
        (
            source_http.clone(),
            format!(
                "input {source_http} {{ baseURL: String! headers: [{header}!] path: {mapping} queryParams: {mapping} }}"
            ),
        ),
        (
            connect_http.clone(),
            format!(
                "input {connect_http} {{ {methods} body: {mapping} headers: [{header}!] path: {mapping} queryParams: {mapping} }}"
            ),
        ),
        source_definition(source_name, &source_arguments),
        (
            format!("@{connect_name}"),
            format!(
                "directive @{connect_name}(source: String, id: String, http: {connect_http}, batch: {batch}, errors: {errors}, selection: {mapping}!, entity: Boolean = false, isSuccess: {mapping}) repeatable on FIELD_DEFINITION | OBJECT"
            ),
        ),
    ];
    if source_name != UNPREFIXED_SOURCE {
        // Defined, so that an `@source` that is not imported gets a diagnostic of its own.
        definitions.push(source_definition(UNPREFIXED_SOURCE, &source_arguments));
    }
    definitions
}

fn source_definition(name: &str, arguments: &str) -> (String, String) {
    (
        format!("@{name}"),
        format!("directive @{name}({arguments}) repeatable on SCHEMA"),
    )
}

/// The name of an imported `@source`.
pub(crate) const UNPREFIXED_SOURCE: &str = "source";
