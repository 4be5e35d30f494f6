//! Variants of a plan: a request selects one by the progressive overrides that are active for it,
//! and by the conditions that the order of a mutation depends on.

use schema::graph::Graph;
use schema::operation::{Operation, Variables};
use schema::override_label;
use schema::types::Name;

use crate::selection::order_variables;
use crate::settings::Settings;

/// What distinguishes the plans of one operation.
#[derive(Debug)]
pub(crate) struct VariantInputs {
    /// Labels of overrides that its fields depend on, as indices into those of the graph.
    labels: Vec<usize>,
    /// Variables of conditions.
    conditions: Vec<Name>,
}

/// The variant of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct PlanVariant {
    /// The active labels.
    labels: Vec<usize>,
    conditions: Vec<(Name, bool)>,
}

/// The share of requests that each label of the graph is active for.
#[derive(Debug)]
pub(crate) struct Overrides(Vec<Share>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Share {
    None,
    All,
    /// Percentage of requests.
    Percent(f64),
}

impl VariantInputs {
    pub(crate) fn new(operation: &Operation, graph: &Graph) -> Self {
        Self {
            labels: operation.override_labels(graph),
            conditions: order_variables(operation, graph.types()),
        }
    }

    /// Whether one plan serves all requests.
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.conditions.is_empty()
    }

    /// The variant of a request with these variables; labels with a percentage are drawn at random.
    pub(crate) fn variant(&self, overrides: &Overrides, variables: &Variables) -> PlanVariant {
        let is_on = |label: &usize| match overrides.share(*label) {
            Share::None => false,
            Share::All => true,
            Share::Percent(percent) => fastrand::f64() * 100.0 < percent,
        };
        let conditions = self.conditions.iter();
        PlanVariant {
            labels: self.labels.iter().copied().filter(is_on).collect(),
            conditions: conditions
                .map(|name| (Name::clone(name), variables.is_true(name)))
                .collect(),
        }
    }

    /// The variant without a request: labels that are active for all requests, no condition known.
    pub(crate) fn default_variant(&self, overrides: &Overrides) -> PlanVariant {
        let labels = self.labels.iter().copied();
        PlanVariant {
            labels: labels
                .filter(|label| overrides.share(*label) == Share::All)
                .collect(),
            conditions: Vec::new(),
        }
    }

    /// Describes a variant; empty where one plan serves all requests.
    pub(crate) fn describe(&self, variant: &PlanVariant, graph: &Graph) -> String {
        let mut text = String::new();
        if !self.labels.is_empty() {
            let label = |label: &usize| {
                let is_on = variant.labels.contains(label);
                let state = if is_on { "on" } else { "off" };
                format!("`{}` {state}", graph.override_labels()[*label])
            };
            let labels: Vec<String> = self.labels.iter().map(label).collect();
            text = format!("with the override {}\n", labels.join(", "));
        }
        if !self.conditions.is_empty() {
            let names: Vec<String> = self.conditions.iter().map(|it| format!("${it}")).collect();
            text = format!(
                "{text}in this order where nothing is left out by {}\n",
                names.join(", ")
            );
        }
        text
    }
}

impl PlanVariant {
    /// The graph with the active labels; `None` where that is `graph` itself.
    pub(crate) fn graph(&self, graph: &Graph) -> Option<Graph> {
        let is_on = |label: usize| self.labels.contains(&label);
        let has_labels = !self.labels.is_empty();
        has_labels
            .then(|| graph.with_active_labels(&is_on))
            .flatten()
    }

    /// The variables whose values are known.
    pub(crate) fn conditions(&self) -> &[(Name, bool)] {
        &self.conditions
    }
}

impl Overrides {
    /// The configured shares, else those that labels name; a label without one is inactive, so its
    /// field stays with the subgraph that is overridden.
    pub(crate) fn new(graph: &Graph, settings: &Settings) -> Self {
        let labels = graph.override_labels().iter();
        let share = labels.map(|name| {
            let configured = settings.overrides.get(&**name).copied();
            match configured
                .or_else(|| override_label::percent(name))
                .unwrap_or(0.0)
            {
                percent if percent <= 0.0 => Share::None,
                percent if percent >= 100.0 => Share::All,
                percent => Share::Percent(percent),
            }
        });
        Self(share.collect())
    }

    fn share(&self, label: usize) -> Share {
        self.0.get(label).copied().unwrap_or(Share::None)
    }
}
