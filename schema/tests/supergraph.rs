//! Linking of composed supergraphs.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod supergraph {
    pub(crate) mod abstract_types;
    pub(crate) mod audit;
    pub(crate) mod clients;
    pub(crate) mod connectors;
    pub(crate) mod dump;
    pub(crate) mod hostile;
    pub(crate) mod problems;
    pub(crate) mod support;
    pub(crate) mod versions;
    pub(crate) mod views;
}
