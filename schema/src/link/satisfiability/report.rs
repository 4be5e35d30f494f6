//! What to say of a field that cannot be reached: from where, who gives it, and what is missing.

use apollo_compiler::Name as GraphqlName;

use indexmap::IndexMap;

use super::reachability::Reachability;
use super::{SatisfiabilityCheck, WalkState};
use crate::diagnostic::{Code, Diagnostic, Problems, Severity};
use crate::source::{Source, SourceId};
use crate::span::Span;
use crate::types::{Name, TypeId, TypeKind};

/// Reports the fields that cannot be had at `place`, those for one reason together.
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

/// Who gives a field, and why it cannot be asked.
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
            let reason = reason(reachability, SourceId(index), source, state, field);
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
        [] => format!("nothing gives {fields}"),
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
        [] => "give it in a subgraph, or take it out of the graph".to_owned(),
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

/// Enough to see where it is.
const MAX_LABELS: usize = 5;

fn has_connectors(check: &SatisfiabilityCheck<'_>, subgraph: &str) -> bool {
    let mut parts = check.parts.iter();
    parts.any(|part| part.name() == subgraph && part.has_connectors())
}

/// That nobody knows which type the objects at `path` have.
pub(super) fn unknown_type(check: &SatisfiabilityCheck<'_>, ty: TypeId, path: &str) -> Diagnostic {
    let name = &check.types.get(ty).name;
    let message = format!("nothing tells which type the objects of `{path}` have");
    let mut parts = check.parts.iter();
    let part = parts.find(|part| part.is_interface_object(name));
    let span = part.and_then(|part| {
        let definition = part.get(name)?;
        Some(part.span(definition.name().location()))
    });
    let help = format!(
        "give `{name}` a `@key` in the subgraph that has it as an interface, made of fields that are known here"
    );
    match span {
        Some(span) => Diagnostic::error(Code::SatisfiabilityError, span, message).help(help),
        None => Diagnostic::without_span(Code::SatisfiabilityError, message).help(help),
    }
}

/// Whether the source gives the field at any place.
fn provides_field(
    check: &SatisfiabilityCheck<'_>,
    source: &Source,
    ty: TypeId,
    field: &str,
) -> bool {
    source.nodes.iter().any(|node| {
        let concerned = node.on == ty
            || (check.types.get(node.on).is_abstract() && check.types.is_a(ty, node.on));
        concerned && node.fields.contains_key(field)
    })
}

fn reason(
    reachability: &Reachability<'_>,
    id: SourceId,
    source: &Source,
    state: &WalkState,
    field: &str,
) -> String {
    let subgraph = &source.subgraph;
    let here = state
        .nodes
        .iter()
        .any(|at| at.source == id && reachability.node(*at).fields.contains_key(field));
    let keys: Vec<String> = reachability
        .entry_points(state.ty)
        .iter()
        .filter(|(source, _)| *source == id)
        .map(|(_, entry)| format!("`{}`", entry.key))
        .collect();
    if here && keys.is_empty() {
        return format!(
            "`{subgraph}` must be told what it requires, and has no resolvable `@key` by which it could be asked for that"
        );
    }
    if here {
        return format!("`{subgraph}` must be told what it requires, which is not known here");
    }
    if keys.is_empty() {
        return format!("`{subgraph}` has it, and no resolvable `@key` by which it could be asked");
    }
    format!(
        "`{subgraph}` can be asked by {}, which is not known here",
        keys.join(" or ")
    )
}

/// Where the subgraph writes the field: at the object, or at an interface that it has as one.
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
        let found = part.field(&name, field)?;
        Some(part.span(found.name.location()))
    })
}
