//! The commerce graph with all values cacheable for an hour, for all callers.
//!
//! The original graph caches orders for seconds and personal data for one caller only, so that hits
//! would end in the middle of a run.

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::gateway::WORKSPACE_ROOT;
use crate::scratch::ScratchFile;

/// The schema files; removed when dropped.
#[derive(Debug)]
pub(super) struct Graph {
    files: Vec<(&'static str, ScratchFile)>,
}

impl Graph {
    /// Writes the files.
    pub(super) fn write() -> Result<Self, Failure> {
        let files = ["users", "products", "orders"].into_iter().map(|name| {
            let path = format!("{WORKSPACE_ROOT}/schema/commerce/{name}.graphql");
            let action = format!("cannot read {path}");
            let text = std::fs::read_to_string(path).map_err(Failure::io(action))?;
            let file =
                ScratchFile::write(&format!("{name}.graphql"), &cacheable_for_an_hour(&text))?;
            Ok((name, file))
        });
        Ok(Self {
            files: files.collect::<Result<_, _>>()?,
        })
    }

    /// The `graph` section of the configuration.
    pub(super) fn graph_config(&self) -> Value {
        let files = self.files.iter();
        let subgraphs = files.map(|(name, file)| {
            let schema = json!({ "schema": file.path() });
            ((*name).to_owned(), schema)
        });
        json!({ "subgraphs": Value::Object(subgraphs.collect()) })
    }
}

/// `sdl` with each applied `@cacheControl` replaced by `maxAge: 3600`.
fn cacheable_for_an_hour(sdl: &str) -> String {
    let mut pieces = sdl.split(DIRECTIVE);
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let is_definition = text.ends_with("directive ");
        text.push_str(DIRECTIVE);
        match piece.split_once(')') {
            Some((_, rest)) if !is_definition => {
                text.push_str("maxAge: 3600)");
                text.push_str(rest);
            }
            _ => text.push_str(piece),
        }
    }
    text
}

const DIRECTIVE: &str = "@cacheControl(";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_is_replaced_where_it_is_applied() {
        let sdl = "directive @cacheControl(\n  maxAge: Int\n) on OBJECT\n\
                   type A @cacheControl(maxAge: 5, scope: PRIVATE) @key(fields: \"id\") {\n  \
                   id: ID! @cacheControl(scope: PRIVATE)\n}\n";
        let expected = "directive @cacheControl(\n  maxAge: Int\n) on OBJECT\n\
                        type A @cacheControl(maxAge: 3600) @key(fields: \"id\") {\n  \
                        id: ID! @cacheControl(maxAge: 3600)\n}\n";
        assert_eq!(cacheable_for_an_hour(sdl), expected);
    }
}
