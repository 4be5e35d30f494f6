//! `@join__field`: which graphs have a field, and what each of them says of it.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive as Found, FieldDefinition};

use super::arguments::{flag, text};
use super::contexts;
use super::join::{Directive, Join, Version};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::label;
use crate::link::federation::{Given, ServiceField, Side, Written};
use crate::link::overrides::OVERRIDE_LABELS;

/// What the graphs say of one field.
pub(super) struct Joined<'a> {
    field: &'a FieldDefinition,
    /// `None` where nothing is written: then the field is wherever the type is.
    said: Option<Vec<Said<'a>>>,
}

/// One `@join__field` and the graph that it is of.
struct Said<'a> {
    graph: usize,
    written: &'a Node<Found>,
}

impl<'a> Joined<'a> {
    /// Reads what stands at `owner.field`; `everywhere` are the graphs that have the type.
    pub(super) fn read(
        (owner, field): (&str, &'a FieldDefinition),
        everywhere: &[usize],
        join: &Join<'_>,
        problems: &mut Problems,
    ) -> Self {
        let written: Vec<_> = join.on(&field.directives.0, Directive::Field).collect();
        let mut said = Vec::new();
        for written in &written {
            if written.specified_argument_by_name("graph").is_some() {
                let graph = join.graph(written, problems);
                said.extend(graph.map(|graph| Said { graph, written }));
            } else if join.version == Version::V0_1 {
                let graphs = everywhere.iter();
                said.extend(graphs.map(|graph| Said {
                    graph: *graph,
                    written,
                }));
            }
        }
        for said in &said {
            check_label((owner, field), said, join, problems);
            if !everywhere.contains(&said.graph) {
                let message = format!(
                    "`{owner}.{}` is said to come from `{}`, which does not have the type",
                    field.name, join.graphs[said.graph].name
                );
                let at = join.at(said.written);
                problems.push(Diagnostic::error(Code::SupergraphInvalid, at, message));
            }
        }
        let said = (!written.is_empty()).then_some(said);
        Self { field, said }
    }

    /// Whether every graph of the type has the field, because nothing else is said.
    pub(super) fn is_everywhere(&self) -> bool {
        self.said.is_none()
    }

    /// The field as `graph` has it; `None` where it does not.
    pub(super) fn in_graph(&self, graph: usize, join: &Join<'_>) -> Option<ServiceField> {
        let Some(said) = &self.said else {
            return Some(ServiceField {
                ty: self.field.ty.to_string().into(),
                requires: None,
                contexts: Vec::new(),
                provides: None,
                given: Given::Always,
                progress: None,
            });
        };
        let own = said.iter().find(|said| said.graph == graph)?.written;
        let name = join.graphs[graph].name.as_ref();
        let others = || said.iter().filter(|said| said.graph != graph);
        let taker = others().find(|said| text(said.written, "override") == Some(name));
        let has_loser = |from: &str| others().any(|said| *join.graphs[said.graph].name == *from);
        let label = |written| text(written, "overrideLabel").map(crate::types::Name::from);
        let progress = match (taker, text(own, "override")) {
            (Some(taker), _) => label(taker.written).map(|label| (label, Side::Loses)),
            (None, Some(from)) if has_loser(from) => label(own).map(|label| (label, Side::Takes)),
            (None, _) => None,
        };
        let is_taken = taker.is_some() || flag(own, "usedOverridden") == Some(true);
        let given = if is_taken && progress.is_none() {
            Given::Overridden
        } else if flag(own, "external") == Some(true) {
            Given::Provided
        } else {
            Given::Always
        };
        let ty = text(own, "type").map_or_else(|| self.field.ty.to_string(), str::to_owned);
        Some(ServiceField {
            ty: ty.into(),
            requires: set(own, "requires", join),
            contexts: contexts::read(own, join),
            provides: set(own, "provides", join),
            given,
            progress,
        })
    }
}

/// The set of fields that an argument is.
pub(super) fn set(directive: &Found, argument: &str, join: &Join<'_>) -> Option<Written> {
    let value = directive.specified_argument_by_name(argument)?;
    Some(Written {
        text: value.as_str()?.to_owned(),
        at: join.text.span(value.location()),
    })
}

fn check_label(
    (owner, field): (&str, &FieldDefinition),
    said: &Said<'_>,
    join: &Join<'_>,
    problems: &mut Problems,
) {
    let written = said.written.specified_argument_by_name("overrideLabel");
    let label = written.and_then(|value| Some((value, value.as_str()?)));
    if let Some((value, label)) = label.filter(|(_, label)| !label::is_valid(label)) {
        let message = format!(
            "`{label}` of `{owner}.{}` cannot be a label of an override",
            field.name
        );
        let at = join.text.span(value.location());
        let problem = Diagnostic::error(Code::OverrideLabelInvalid, at, message);
        problems.push(problem.help(OVERRIDE_LABELS.to_owned()));
    }
}
