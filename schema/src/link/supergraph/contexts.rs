//! `contextArguments` of `@join__field`, and the types that set their contexts.

use apollo_compiler::ast::{Directive, Value};

use super::arguments::text;
use super::join::Join;
use crate::link::federation::{FieldSetText, SubgraphContext};
use crate::types::Name;

/// The arguments of a field of one graph that come from a context.
pub(super) fn read(field: &Directive, join: &Join<'_>) -> Vec<SubgraphContext> {
    let written = field.specified_argument_by_name("contextArguments");
    let written = written.and_then(|value| value.as_list());
    let contexts = written.unwrap_or_default().iter();
    contexts.filter_map(|value| context(value, join)).collect()
}

/// `None` where a part is missing, which the definition in the document does not allow.
fn context(value: &Value, join: &Join<'_>) -> Option<SubgraphContext> {
    let members = value.as_object()?;
    let member = |wanted: &str| {
        let mut members = members.iter();
        let (_, found) = members.find(|(name, _)| name == wanted)?;
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
