//! The cache directives of a graph as text.

use std::fmt::Write as _;

use schema::caching::{CacheDirectives, CacheHint, Invalidation, TagFormat};
use schema::graph::Graph;
use schema::types::Types;

/// The cache directives of every subgraph, sorted by name.
pub(crate) fn cache_directives(graph: &Graph) -> String {
    let subgraphs = graph.sources().map(|(_, source)| &*source.subgraph);
    let mut subgraphs: Vec<&str> = subgraphs.collect();
    subgraphs.sort_unstable();
    subgraphs.dedup();
    let texts = subgraphs.into_iter().filter_map(|subgraph| {
        let caching = graph.subgraph_cache_directives(subgraph)?;
        Some(format!("{subgraph}\n{}", lines(graph.types(), caching)))
    });
    texts.collect()
}

fn lines(types: &Types, caching: &CacheDirectives) -> String {
    let mut lines = Vec::new();
    for (id, ty) in types.iter() {
        if let Some(directives) = caching.type_directives(id) {
            lines.push(line(
                types,
                &ty.name,
                directives.hint,
                &directives.tags,
                &[],
            ));
        }
        for name in ty.fields().into_iter().flat_map(|fields| fields.keys()) {
            if let Some(directives) = caching.field_directives(id, name) {
                let place = format!("{}.{name}", ty.name);
                let tags = directives.tags.as_slice();
                let invalidates = directives.invalidates.as_slice();
                lines.push(line(types, &place, directives.hint, tags, invalidates));
            }
        }
    }
    lines.sort();
    lines.concat()
}

fn line(
    types: &Types,
    place: &str,
    hint: Option<CacheHint>,
    tags: &[TagFormat],
    invalidates: &[Invalidation],
) -> String {
    let mut line = format!("  {place}");
    if let Some(hint) = hint {
        if let Some(seconds) = hint.max_age {
            let _ = write!(line, " {seconds}s");
        }
        if let Some(scope) = hint.scope {
            let _ = write!(line, " {scope:?}");
        }
        line += if hint.inherits_max_age {
            " inherited"
        } else {
            ""
        };
    }
    for tag in tags {
        let _ = write!(line, " #{tag}");
    }
    for invalid in invalidates {
        let _ = match invalid {
            Invalidation::Returned => write!(line, " !returned"),
            Invalidation::Tag(tag) => write!(line, " !#{tag}"),
            Invalidation::Type(ty) => write!(line, " !{}", types.get(*ty).name),
        };
    }
    line + "\n"
}
