//! Composition of GraphQL subgraphs: the graph, its diagnostics and the printed supergraph.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "compose/access.rs"]
mod access;
#[path = "compose/audit.rs"]
mod audit;
#[path = "compose/cache_text.rs"]
mod cache_text;
#[path = "compose/caching.rs"]
mod caching;
#[path = "compose/canonical.rs"]
mod canonical;
#[path = "compose/documented.rs"]
mod documented;
#[path = "compose/halves.rs"]
mod halves;
#[path = "compose/hostile.rs"]
mod hostile;
#[path = "compose/merged.rs"]
mod merged;
#[path = "compose/printed.rs"]
mod printed;
#[path = "compose/reached.rs"]
mod reached;
#[path = "compose/rules.rs"]
mod rules;
#[path = "compose/support.rs"]
mod support;
