//! `contextArguments` of `@join__field`, with the types that set the contexts.

use apollo_compiler::ast::{Directive, Value};

use super::arguments::text;
use super::join::Join;
use crate::link::federation::{FieldSetText, SubgraphContext};
use crate::types::Name;

/// The context arguments in a `@join__field`.
pub(super) fn read(field: &Directive, join: &Join<'_>) -> Vec<SubgraphContext> {
    let arguments = field.specified_argument_by_name("contextArguments");
    let arguments = arguments.and_then(|value| value.as_list());
    let contexts = arguments.unwrap_or_default().iter();
    contexts.filter_map(|value| context(value, join)).collect()
}

/// Reads one context argument; `None` when a member is missing, which the definition forbids.
fn context(value: &Value, join: &Join<'_>) -> Option<SubgraphContext> {
    let members = value.as_object()?;
    let member = |member: &str| {
        let mut members = members.iter();
        let (_, found) = members.find(|(name, _)| name == member)?;
        Some((found.as_str()?, found.location()))
    };
    let (selection, at) = member("selection")?;
    Some(SubgraphContext {
        argument: member("name")?.0.into(),
        ty: member("type")?.0.into(),
        setters: setters(member("context")?.0, join),
        selection: FieldSetText {
            text: selection.to_owned(),
            span: join.document.span(at),
        },
    })
}

fn setters(context: &str, join: &Join<'_>) -> Vec<Name> {
    let name = join.features.directive("context");
    let sets =
        |directive: &Directive| directive.name == *name && text(directive, "name") == Some(context);
    let types = join.types();
    types
        .filter(|(_, definition)| definition.directives().iter().any(|it| sets(it)))
        .map(|(name, _)| name.as_str().into())
        .collect()
}
