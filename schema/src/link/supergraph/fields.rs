//! `@join__field`: the subgraphs that define a field, and the field as each defines it.

use apollo_compiler::Node;
use apollo_compiler::ast::{Directive, FieldDefinition};

use super::arguments::{flag, text};
use super::contexts;
use super::join::{GraphId, Join, JoinDirective, JoinVersion};
use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::link::federation::{FieldAvailability, FieldSetText, OverrideSide, SubgraphField};
use crate::link::overrides::OVERRIDE_LABELS;
use crate::override_label;

/// A field of the supergraph with its `@join__field`s.
pub(super) struct JoinedField<'a> {
    field: &'a FieldDefinition,
    /// `None` without `@join__field`: every subgraph that defines the type has the field.
    join_fields: Option<Vec<JoinField<'a>>>,
}

/// A `@join__field` and its subgraph.
struct JoinField<'a> {
    graph: GraphId,
    directive: &'a Node<Directive>,
}

impl<'a> JoinedField<'a> {
    /// Reads the `@join__field`s of `owner.field`; `with_type` are the subgraphs that define the type.
    pub(super) fn read(
        owner: &str,
        field: &'a FieldDefinition,
        with_type: &[GraphId],
        join: &Join<'_>,
        problems: &mut Problems,
    ) -> Self {
        let directives: Vec<_> = join
            .directives(&field.directives.0, JoinDirective::Field)
            .collect();
        let mut join_fields = Vec::new();
        for directive in &directives {
            if directive.specified_argument_by_name("graph").is_some() {
                let graph = join.checked_graph_id(directive, problems);
                join_fields.extend(graph.map(|graph| JoinField { graph, directive }));
            } else if join.version == JoinVersion::V0_1 {
                let graphs = with_type.iter();
                join_fields.extend(graphs.map(|graph| JoinField {
                    graph: *graph,
                    directive,
                }));
            }
        }
        for join_field in &join_fields {
            check_label(owner, field, join_field, join, problems);
            if !with_type.contains(&join_field.graph) {
                let message = format!(
                    "`{owner}.{}` is joined to `{}`, which does not define type `{owner}`",
                    field.name,
                    join.graph(join_field.graph).name
                );
                let at = join.span(join_field.directive);
                problems.push(Diagnostic::error(Code::SupergraphInvalid, at, message));
            }
        }
        let join_fields = (!directives.is_empty()).then_some(join_fields);
        Self { field, join_fields }
    }

    /// Whether every subgraph with the type has the field, because it has no `@join__field`.
    pub(super) fn is_everywhere(&self) -> bool {
        self.join_fields.is_none()
    }

    /// The field as the subgraph `graph` defines it; `None` when it does not.
    pub(super) fn in_graph(&self, graph: GraphId, join: &Join<'_>) -> Option<SubgraphField> {
        let Some(join_fields) = &self.join_fields else {
            return Some(SubgraphField {
                ty: self.field.ty.to_string().into(),
                requires: None,
                contexts: Vec::new(),
                provides: None,
                availability: FieldAvailability::Always,
                progressive_override: None,
            });
        };
        let own = join_fields.iter().find(|it| it.graph == graph)?.directive;
        let name = join.graph(graph).name.as_ref();
        let others = || join_fields.iter().filter(|it| it.graph != graph);
        let overriding = others().find(|it| text(it.directive, "override") == Some(name));
        let has_overridden = |from: &str| others().any(|it| *join.graph(it.graph).name == *from);
        let label = |directive| text(directive, "overrideLabel").map(crate::types::Name::from);
        let progressive_override = match (overriding, text(own, "override")) {
            (Some(other), _) => label(other.directive).map(|label| (label, OverrideSide::From)),
            (None, Some(from)) if has_overridden(from) => {
                label(own).map(|label| (label, OverrideSide::To))
            }
            (None, _) => None,
        };
        let is_overridden = overriding.is_some() || flag(own, "usedOverridden") == Some(true);
        let availability = if is_overridden && progressive_override.is_none() {
            FieldAvailability::Overridden
        } else if flag(own, "external") == Some(true) {
            FieldAvailability::Provided
        } else {
            FieldAvailability::Always
        };
        let ty = text(own, "type").map_or_else(|| self.field.ty.to_string(), str::to_owned);
        Some(SubgraphField {
            ty: ty.into(),
            requires: field_set_text(own, "requires", join),
            contexts: contexts::read(own, join),
            provides: field_set_text(own, "provides", join),
            availability,
            progressive_override,
        })
    }
}

/// The field set in an argument of a directive.
pub(super) fn field_set_text(
    directive: &Directive,
    argument: &str,
    join: &Join<'_>,
) -> Option<FieldSetText> {
    let value = directive.specified_argument_by_name(argument)?;
    Some(FieldSetText {
        text: value.as_str()?.to_owned(),
        span: join.document.span(value.location()),
    })
}

fn check_label(
    owner: &str,
    field: &FieldDefinition,
    join_field: &JoinField<'_>,
    join: &Join<'_>,
    problems: &mut Problems,
) {
    let argument = join_field
        .directive
        .specified_argument_by_name("overrideLabel");
    let label = argument.and_then(|value| Some((value, value.as_str()?)));
    if let Some((value, label)) = label.filter(|(_, label)| !override_label::is_valid(label)) {
        let message = format!(
            "`{label}` of `{owner}.{}` is not a valid override label",
            field.name
        );
        let at = join.document.span(value.location());
        let problem = Diagnostic::error(Code::OverrideLabelInvalid, at, message);
        problems.push(problem.help(OVERRIDE_LABELS.to_owned()));
    }
}
