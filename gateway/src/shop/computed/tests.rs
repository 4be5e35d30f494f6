//! Compares the SDL file of the subgraph with its resolvers.

use std::fs;
use std::path::Path;

use async_graphql::SDLExportOptions;

use super::schema;

#[test]
fn the_schema_file_equals_the_sdl_of_the_resolvers() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/commerce/computed.graphql");
    if std::env::var_os("WEIR_BLESS").is_some() {
        fs::write(&file, sdl()).unwrap();
    }
    let written = fs::read_to_string(file).unwrap();

    assert_eq!(written, sdl(), "`make bless` writes it");
}

/// The SDL in `schema/commerce/computed.graphql`: without definitions of built-in directives.
fn sdl() -> String {
    let options = SDLExportOptions::new()
        .federation()
        .use_space_ident()
        .prefer_single_line_descriptions();
    let sdl = schema().sdl_with_options(options);
    // Removes the definitions of `@skip` and `@include`, and the description before each.
    let is_definition = |line: Option<&str>| line.is_some_and(|it| it.starts_with("directive @"));
    let next = sdl.lines().skip(1).map(Some).chain([None]);
    let lines = sdl.lines().zip(next);
    let lines = lines.filter(|(line, next)| !is_definition(Some(line)) && !is_definition(*next));
    let lines: Vec<_> = lines.map(|(line, _)| line).collect();
    format!("{HEADER}{}\n", lines.join("\n").trim())
}

const HEADER: &str = "\
# Fields computed from data of other subgraphs. The SDL of the resolvers in gateway/src/shop/computed.rs; a test
# compares them, and `make bless` writes this file.

";
