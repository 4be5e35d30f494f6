//! Diagnostics for unreachable fields: the path, the subgraphs that have the field, and the missing
//! key or requirement.

use apollo_compiler::Name as GraphqlName;

use indexmap::IndexMap;

use super::reachability::Reachability;
use super::{SatisfiabilityCheck, WalkState};
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::source::{Access, Source, SourceId};
use crate::span::Span;
use crate::types::{Name, TypeId, TypeKind};

/// Reports the unreachable fields `names` of `state`, one diagnostic for each cause.
pub(super) fn unreachable(
    check: &SatisfiabilityCheck<'_>,
    reachability: &Reachability<'_>,
    state: &WalkState,
    names: &[Name],
    problems: &mut Problems,
) {
    let mut causes: IndexMap<Cause, Vec<&Name>> = IndexMap::new();
    for name in names {
        let cause = cause(check, reachability, state, name);
        causes.entry(cause).or_default().push(name);
    }
    for (cause, names) in causes {
        problems.push(cause_diagnostic(check, state, &cause, &names));
    }
}

/// The subgraphs that have a field, and the reasons why they cannot provide it.
#[derive(PartialEq, Eq, Hash)]
struct Cause {
    subgraphs: Vec<Name>,
    reasons: Vec<String>,
}

fn cause(
    check: &SatisfiabilityCheck<'_>,
    reachability: &Reachability<'_>,
    state: &WalkState,
    field: &str,
) -> Cause {
    let mut cause = Cause {
        subgraphs: Vec::new(),
        reasons: Vec::new(),
    };
    for (index, source) in check.sources.iter().enumerate() {
        if provides_field(check, source, state.ty, field)
            && !cause.subgraphs.contains(&source.subgraph)
        {
            cause.subgraphs.push(Name::clone(&source.subgraph));
            let reason = match &source.access {
                Access::Connector(_) if !is_entered(reachability, SourceId(index), state.ty) => {
                    connector_reason(&check.types.get(state.ty).name, field)
                }
                _ => reason(reachability, SourceId(index), source, state, field),
            };
            cause.reasons.push(reason);
        }
    }
    cause
}

fn cause_diagnostic(
    check: &SatisfiabilityCheck<'_>,
    state: &WalkState,
    cause: &Cause,
    names: &[&Name],
) -> Diagnostic {
    let owner = &check.types.get(state.ty).name;
    let fields: Vec<_> = names
        .iter()
        .map(|name| format!("`{owner}.{name}`"))
        .collect();
    let fields = fields.join(", ");
    let message = match cause.subgraphs.as_slice() {
        [] => format!("no subgraph resolves {fields}"),
        _ => format!("{fields} cannot be reached from `{}`", state.path),
    };
    let spans = names.iter().flat_map(|name| {
        let parts = check.parts.iter().filter(|part| {
            cause.subgraphs.is_empty() || cause.subgraphs.iter().any(|it| **it == *part.name())
        });
        parts.filter_map(|part| span(check, part.name(), state.ty, name))
    });
    let mut spans: Vec<_> = spans.take(MAX_LABELS).collect();
    if spans.is_empty() {
        return Diagnostic::without_span(Code::SatisfiabilityError, message);
    }
    let first = spans.remove(0);
    let help = match cause.reasons.as_slice() {
        [] => "resolve the field in a subgraph, or remove it".to_owned(),
        reasons => reasons.join("; "),
    };
    let mut problem = Diagnostic::error(Code::SatisfiabilityError, first, message).help(help);
    for other in spans {
        problem = problem.label(other, "");
    }
    let subgraphs = &cause.subgraphs;
    if !subgraphs.is_empty() && subgraphs.iter().all(|name| has_connectors(check, name)) {
        problem.severity = Severity::Warning;
    }
    problem
}

/// Maximum number of locations in one diagnostic.
const MAX_LABELS: usize = 5;

fn has_connectors(check: &SatisfiabilityCheck<'_>, subgraph: &str) -> bool {
    let mut parts = check.parts.iter();
    parts.any(|part| part.name() == subgraph && part.has_connectors())
}

/// Reports that no source provides the `__typename` of the objects at `path`.
pub(super) fn unknown_type(check: &SatisfiabilityCheck<'_>, ty: TypeId, path: &str) -> Diagnostic {
    let name = &check.types.get(ty).name;
    let message = format!("no subgraph provides the `__typename` of the objects at `{path}`");
    let mut parts = check.parts.iter();
    let part = parts.find(|part| part.is_interface_object(name));
    let span = part.and_then(|part| {
        let definition = part.get(name)?;
        Some(part.span(definition.name().location()))
    });
    let help = format!(
        "add a `@key` with fields that are available here to `{name}` in the subgraph that defines it as an interface"
    );
    match span {
        Some(span) => Diagnostic::error(Code::SatisfiabilityError, span, message).help(help),
        None => Diagnostic::without_span(Code::SatisfiabilityError, message).help(help),
    }
}

/// Whether the source provides the field at any place.
fn provides_field(
    check: &SatisfiabilityCheck<'_>,
    source: &Source,
    ty: TypeId,
    field: &str,
) -> bool {
    source.nodes.iter().any(|node| {
        let applies = node.on == ty
            || (check.types.get(node.on).is_abstract() && check.types.is_a(ty, node.on));
        applies && node.fields.contains_key(field)
    })
}

/// Whether a source is called for objects of a type by their key.
fn is_entered(reachability: &Reachability<'_>, id: SourceId, ty: TypeId) -> bool {
    let mut entry_points = reachability.entry_points(ty).iter();
    entry_points.any(|(source, _)| *source == id)
}

fn connector_reason(ty: &str, field: &str) -> String {
    format!(
        "no connector fetches a `{ty}` by its key: select `{field}` where the object is returned, or set `entity: true` \
         on a field of `Query` that fetches one `{ty}`, or put a connector on the type `{ty}`"
    )
}

fn reason(
    reachability: &Reachability<'_>,
    id: SourceId,
    source: &Source,
    state: &WalkState,
    field: &str,
) -> String {
    let subgraph = &source.subgraph;
    let has_field = state
        .nodes
        .iter()
        .any(|at| at.source == id && reachability.node(*at).fields.contains_key(field));
    let keys: Vec<String> = reachability
        .entry_points(state.ty)
        .iter()
        .filter(|(source, _)| *source == id)
        .map(|(_, entry)| format!("`{}`", entry.key))
        .collect();
    if has_field && keys.is_empty() {
        return format!(
            "`{subgraph}` requires fields, and has no resolvable `@key` to receive them with"
        );
    }
    if has_field {
        return format!("`{subgraph}` requires fields that are not available here");
    }
    if keys.is_empty() {
        return format!("`{subgraph}` has no resolvable `@key` for a lookup");
    }
    format!(
        "`{subgraph}` needs the key {}, which is not available here",
        keys.join(" or ")
    )
}

/// The location of the field in the subgraph: on the object type, or on an `@interfaceObject`.
fn span(check: &SatisfiabilityCheck<'_>, subgraph: &str, ty: TypeId, field: &str) -> Option<Span> {
    let part = check.parts.iter().find(|part| part.name() == subgraph)?;
    let mut names = vec![ty];
    let all = check.types.iter();
    let abstracts = all.filter(|(id, other)| {
        matches!(other.kind, TypeKind::Interface(_)) && check.types.is_a(ty, *id)
    });
    names.extend(abstracts.map(|(id, _)| id));
    names.iter().find_map(|id| {
        let name = GraphqlName::new(&check.types.get(*id).name).ok()?;
        let definition = part.field(&name, field)?;
        Some(part.span(definition.name.location()))
    })
}
