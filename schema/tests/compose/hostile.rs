//! Malformed subgraphs: composition terminates, with diagnostics or with a graph that round-trips
//! through its supergraph.

use std::path::Path;

use schema::link::{self, AccessDirectives, LinkOptions};
use schema::span::Document;
use schema::subgraph::Subgraph;

use super::canonical;
use super::printed::all_directives;

#[test]
fn fixtures_with_mutated_words_never_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "graphql"))
        .collect();
    files.sort();
    let mut random = Random(7);
    let (mut linked, mut refused) = (0, 0);
    let fixtures = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap());
    let valid = all_directives().map(|(name, sdl)| format!("#--- {name}\n{sdl}\n"));
    let valid = std::iter::repeat_n(valid.concat(), 30);
    for text in fixtures.chain(valid) {
        for _ in 0..10 {
            let moved = moved(&text, &mut random);
            if round_trips(&subgraphs(&moved)) {
                linked += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert!(linked > 10 && refused > 100, "{linked} {refused}");
}

/// Links the subgraphs; prints and reads back the supergraph of a graph. Whether there is a graph.
fn round_trips(subgraphs: &[Subgraph]) -> bool {
    let options = LinkOptions {
        // Composing allows what linking refuses by default.
        access_directives: AccessDirectives::Allow,
        ..LinkOptions::default()
    };
    let (graph, diagnostics) = link::link(subgraphs, options);
    let (text, same) = link::compose(subgraphs, options);
    assert!(diagnostics.iter().all(|it| same.contains(it)));
    let (Some(graph), Some(text)) = (graph, text) else {
        return false;
    };
    let document = Document::new("supergraph.graphql", text);
    if let (Some(read), _) = link::link_supergraph(&document, options) {
        assert_eq!(
            canonical::views(&read),
            canonical::views(&graph),
            "{}",
            document.text
        );
    }
    true
}

/// The words of a text, with a few dropped, doubled or exchanged.
fn moved(text: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = text.split_inclusive([' ', '\n', '(', ')']).collect();
    for _ in 0..=random.below(3) {
        let (left, right) = (random.below(words.len()), random.below(words.len()));
        match random.below(3) {
            0 => words.swap(left, right),
            1 => words.insert(left, words[right]),
            _ => {
                words.remove(left);
            }
        }
    }
    words.concat()
}

fn subgraphs(text: &str) -> Vec<Subgraph> {
    let parts = text.split("#--- ").filter(|part| !part.is_empty());
    parts
        .enumerate()
        .map(|(index, part)| {
            let named = part.split_once('\n');
            let (name, text) = named
                .filter(|_| index > 0 || text.starts_with('#'))
                .unwrap_or(("first", part));
            Subgraph {
                name: name.trim_end_matches(".graphql").into(),
                url: None,
                document: Document::new(format!("{index}.graphql"), text),
            }
        })
        .collect()
}

/// A deterministic random number generator.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let high = usize::try_from(self.0 >> 33).unwrap();
        high % end.max(1)
    }
}
