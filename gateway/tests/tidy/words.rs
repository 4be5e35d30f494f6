//! Phrases that have a standard term, and must not come back.
//!
//! A reader searches for TTL, cache hit, in flight, representation, upstream or subgraph; prose
//! whose subject is a clause or a person ("what is kept", "whoever asks") hides them. The list is
//! short on purpose: it holds what a reviewer would object to wherever it stands.

use std::path::PathBuf;

use crate::sources::{Source, collect, read, root};

/// A phrase, and the words to write in its place.
const BANNED: [(&str, &str); 9] = [
    (
        "is told",
        "name the message, value or field that is sent or returned",
    ),
    ("given out", "served, returned"),
    ("further up", "ancestor"),
    ("whoever", "the caller, the client, the holder"),
    ("nobody", "no caller, no operation, no configuration"),
    ("somebody", "a caller, another operation"),
    ("is kept", "is cached"),
    ("are kept", "are cached"),
    ("service that speaks graphql", "subgraph"),
];

/// The lines of code, comments, messages and documents that have a banned phrase.
pub(crate) fn banned_phrases(sources: &[Source]) -> Vec<String> {
    let own = |source: &&Source| !source.path.starts_with("gateway/tests/tidy");
    let documents: Vec<Source> = documents().iter().map(|path| read(path)).collect();
    sources
        .iter()
        .filter(own)
        .chain(&documents)
        .flat_map(found)
        .collect()
}

fn found(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    let mut found = Vec::new();
    for (index, line) in lines {
        let line = line.to_lowercase();
        for (phrase, instead) in BANNED {
            if has_words(&line, phrase) {
                let path = source.path.display();
                found.push(format!("{path}:{}: `{phrase}`: {instead}", index + 1));
            }
        }
    }
    found
}

/// Whether `text` has `phrase`, not as a part of longer words.
fn has_words(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + phrase.len()..].chars().next();
        let is_word = |char: char| char.is_alphanumeric();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Everything else that people read: documents, schemas, samples, the page, the build files.
fn documents() -> Vec<PathBuf> {
    let root = root();
    let mut files: Vec<PathBuf> = Vec::new();
    for extension in ["md", "graphql", "yaml", "toml", "js", "html", "txt"] {
        for folder in [
            "docs",
            "schema",
            "resolvers",
            "gateway",
            "mocks",
            "bench",
            "examples",
        ] {
            collect(&root.join(folder), extension, &mut files);
        }
    }
    let at_root = std::fs::read_dir(&root).unwrap();
    let at_root = at_root.map(|entry| entry.unwrap().path());
    files.extend(at_root.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_file() && (name.ends_with(".md") || name.ends_with(".toml") || name == "Makefile")
    }));
    files.retain(|path| {
        let path = path.to_string_lossy();
        // Data of others, and what a build writes.
        !path.contains("/dist/") && !path.contains("/corpus/") && !path.contains("/cases/")
    });
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_as_words_in_any_case() {
        assert!(has_words("what nobody asked", "nobody"));
        assert!(has_words("(nobody)", "nobody"));
        assert!(!has_words("busybodynobody", "nobody"));
        let source = Source {
            path: "x.rs".into(),
            text: "/// Nobody\n// is keptic\nlet a = \"it is told\";\n".to_owned(),
        };
        assert_eq!(found(&source).len(), 2);
    }
}
