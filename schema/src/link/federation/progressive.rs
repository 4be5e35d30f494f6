//! Progressive `@override`: each request selects by a label which of two subgraphs resolves a field.
//!
//! The sources differ for each set of active labels, and are built for the set. The overridden
//! subgraph resolves the field while its label is inactive, the overriding one while it is active.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{FieldAvailability, OverrideSide, SubgraphSchema, subgraph_sources};
use crate::diagnostic::Problems;
use crate::override_label::{OverrideLabels, SourceViews};
use crate::source::Source;
use crate::types::{Name, Types};

/// Subgraphs with fields that depend on override labels.
#[derive(Debug)]
struct ProgressiveOverrides {
    subgraphs: Vec<SubgraphSchema>,
    /// The sources of connectors, which come first and do not depend on labels.
    connector_sources: Vec<Source>,
    labels: Vec<Name>,
}

/// The sources of a graph without active labels, and its labels if it has any. Invalid field sets
/// are reported and left out.
pub(in crate::link) fn sources(
    subgraphs: Vec<SubgraphSchema>,
    connector_sources: Vec<Source>,
    types: &Types,
    problems: &mut Problems,
) -> (Vec<Source>, Option<OverrideLabels>) {
    let (names, fields) = labels(&subgraphs);
    let named_fields = field_set_words(&subgraphs);
    let always_relevant = fields.iter().enumerate();
    let always_relevant = always_relevant
        .filter(|(_, fields)| fields.iter().any(|field| named_fields.contains(&**field)));
    let always_relevant = always_relevant.map(|(label, _)| label).collect();
    let progressive = ProgressiveOverrides {
        subgraphs,
        connector_sources,
        labels: names.clone(),
    };
    let sources = progressive.sources_for_labels(types, &|_| false, problems);
    let labels = OverrideLabels {
        names,
        fields,
        always_relevant,
        views: Box::new(progressive),
    };
    (sources, Some(labels).filter(|it| !it.names.is_empty()))
}

impl SourceViews for ProgressiveOverrides {
    fn sources(&self, types: &Types, is_on: &dyn Fn(usize) -> bool) -> Vec<Source> {
        // Problems were reported when the graph was linked.
        self.sources_for_labels(types, is_on, &mut Problems::default())
    }
}

impl ProgressiveOverrides {
    fn sources_for_labels(
        &self,
        types: &Types,
        is_on: &dyn Fn(usize) -> bool,
        problems: &mut Problems,
    ) -> Vec<Source> {
        let is_on = |label: &Name| self.labels.binary_search(label).is_ok_and(is_on);
        let subgraphs = self.subgraphs.iter();
        let subgraphs: Vec<SubgraphSchema> = subgraphs
            .map(|subgraph| with_labels(subgraph, &is_on))
            .collect();
        let mut sources = self.connector_sources.clone();
        sources.extend(subgraph_sources(&subgraphs, types, problems));
        sources
    }
}

/// The sorted labels, and for each label the names of the fields that depend on it.
fn labels(subgraphs: &[SubgraphSchema]) -> (Vec<Name>, Vec<BTreeSet<Name>>) {
    let mut fields_by_label: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
    let types = subgraphs
        .iter()
        .flat_map(|subgraph| subgraph.types.values());
    for (name, field) in types.flat_map(|ty| &ty.fields) {
        if let Some((label, _)) = &field.progressive_override {
            let fields = fields_by_label.entry(Name::clone(label)).or_default();
            fields.insert(Name::clone(name));
        }
    }
    fields_by_label.into_iter().unzip()
}

/// The subgraph with the availability of its fields under the active labels.
fn with_labels(subgraph: &SubgraphSchema, is_on: &dyn Fn(&Name) -> bool) -> SubgraphSchema {
    let mut labelled = subgraph.clone();
    let types = labelled.types.values_mut();
    for field in types.flat_map(|ty| ty.fields.values_mut()) {
        let Some((label, side)) = &field.progressive_override else {
            continue;
        };
        let is_available = match side {
            OverrideSide::To => is_on(label),
            OverrideSide::From => !is_on(label),
        };
        if !is_available {
            field.availability = FieldAvailability::Overridden;
        }
    }
    labelled
}

/// The names in all field sets of all subgraphs.
fn field_set_words(subgraphs: &[SubgraphSchema]) -> HashSet<String> {
    let mut texts: Vec<&str> = Vec::new();
    for ty in subgraphs
        .iter()
        .flat_map(|subgraph| subgraph.types.values())
    {
        texts.extend(ty.keys.iter().map(|key| key.fields.text.as_str()));
        for field in ty.fields.values() {
            let sets = [&field.requires, &field.provides];
            texts.extend(sets.into_iter().flatten().map(|set| set.text.as_str()));
            let contexts = field.contexts.iter();
            texts.extend(contexts.map(|context| context.selection.text.as_str()));
        }
    }
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let words = texts
        .into_iter()
        .flat_map(|text| text.split(move |char| !is_name(char)));
    words.map(str::to_owned).collect()
}
