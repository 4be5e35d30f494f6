//! Banned phrases: each has a standard term that readers search for, such as TTL, cache hit,
//! in flight, representation, upstream or subgraph.
//!
//! The list is short on purpose: a reviewer would object to each phrase anywhere. Code in back-ticks
//! and string literals that consist of the phrase are exempt, because they are values of the
//! configuration and of responses (`admin.explain: nobody`).

use std::path::PathBuf;

use crate::sources::{Source, collect, read, root};

/// Phrases, and the words to write instead.
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

/// Lines of code and documents that contain a banned phrase.
pub(crate) fn banned_phrases(sources: &[Source]) -> Vec<String> {
    let is_checked = |source: &&Source| !source.path.starts_with("gateway/tests/tidy");
    let documents: Vec<Source> = documents().iter().map(|path| read(path)).collect();
    sources
        .iter()
        .filter(is_checked)
        .chain(&documents)
        .flat_map(banned_lines)
        .collect()
}

fn banned_lines(source: &Source) -> Vec<String> {
    let lines = source.text.lines().enumerate();
    let mut banned = Vec::new();
    for (index, line) in lines {
        let line = without_code_spans(&line.to_lowercase());
        for (phrase, instead) in BANNED {
            if has_phrase(&line, phrase) {
                let path = source.path.display();
                banned.push(format!("{path}:{}: `{phrase}`: {instead}", index + 1));
            }
        }
    }
    banned
}

/// Removes text between back-ticks; a line with an unpaired back-tick is unchanged.
fn without_code_spans(line: &str) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.to_owned();
    }
    parts.into_iter().step_by(2).collect()
}

/// Whether `text` contains `phrase` as whole words, but not as a whole string literal.
fn has_phrase(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + phrase.len()..].chars().next();
        let is_word = |char: char| char.is_alphanumeric();
        let is_literal = before == Some('"') && matches!(after, Some('"' | '\\'));
        !is_literal && !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// Other files that people read: documents, schemas, samples, GraphiQL, build files.
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
        // Generated or third-party files.
        !path.contains("/dist/") && !path.contains("/corpus/") && !path.contains("/cases/")
    });
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_as_words_in_any_case() {
        assert!(has_phrase("what nobody asked", "nobody"));
        assert!(has_phrase("(nobody)", "nobody"));
        assert!(!has_phrase("busybodynobody", "nobody"));
        let source = Source {
            path: "x.rs".into(),
            text: "/// Nobody\n// is keptic\nlet a = \"it is told\";\n".to_owned(),
        };
        assert_eq!(banned_lines(&source).len(), 2);
    }

    #[test]
    fn values_of_the_configuration_are_exempt() {
        assert!(!has_phrase("\"nobody\" => some(self::disabled),", "nobody"));
        assert!(!has_phrase("\\\"nobody\\\"", "nobody"));
        assert!(has_phrase("\"nobody waits\"", "nobody"));
        assert_eq!(
            without_code_spans("either `nobody` or `all`."),
            "either  or ."
        );
        assert_eq!(without_code_spans("```text nobody"), "```text nobody");
    }
}
