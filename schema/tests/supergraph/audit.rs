//! The supergraphs of the federation audit, which another composer produced. They are outside of
//! the repository; `WEIR_AUDIT` names their folder.

use std::path::{Path, PathBuf};

use schema::diagnostic::Diagnostic;
use schema::link::{self, LinkOptions};
use schema::span::Document;

use super::dump::entries;

#[test]
fn every_supergraph_of_the_audit_loads() {
    let Some(suites) = suites() else {
        #[expect(clippy::print_stderr, reason = "a skipped test is printed")]
        {
            eprintln!("skipped: the folder with the federation audit is missing");
        }
        return;
    };
    let (mut sources, mut entry_points) = (0, 0);
    for suite in &suites {
        let text = std::fs::read_to_string(suite.join("supergraph.graphql")).unwrap();
        let name = suite.file_name().unwrap().to_string_lossy().into_owned();
        let document = Document::new(name, text);

        let (graph, diagnostics) = link::link_supergraph(&document, LinkOptions::default());

        let rendered: Vec<_> = diagnostics.iter().map(Diagnostic::render).collect();
        assert_eq!(rendered.join("\n"), "");
        let graph = graph.unwrap();
        sources += graph.sources().len();
        entry_points += entries(&graph);
        assert!(!graph.client_sdl().contains("join__"), "{}", document.name);
    }
    assert_eq!((suites.len(), sources, entry_points), (46, 119, 264));
}

/// The suites of the audit; `None` if no folder is configured and the default one is missing.
fn suites() -> Option<Vec<PathBuf>> {
    let configured = std::env::var_os("WEIR_AUDIT").map(PathBuf::from);
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/audit");
    if configured.is_none() && !default.is_dir() {
        return None;
    }
    let mut suites: Vec<_> = std::fs::read_dir(configured.unwrap_or(default))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    suites.sort();
    Some(suites)
}
