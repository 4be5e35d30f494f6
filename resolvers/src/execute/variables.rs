//! The variables of templates and mappings, as far as a connector names them.

use std::sync::Arc;

use schema::connector::{Gives, Phase};
use schema::json::{Node, Object, Value as Json};
use schema::mapping::Vars;
use schema::types::{Constant, Name};

use super::{ByConnector, Context};
use crate::fetch::request;

/// The arguments of the field that a fetch is for, when the phase has any use for them.
pub(super) fn arguments(
    context: &Context<'_>,
    ByConnector { fetch, ready, .. }: ByConnector<'_>,
    phase: Phase,
) -> Vec<(Name, Constant)> {
    let Some(slot) = fetch.slot.filter(|_| ready.uses(phase, "args")) else {
        return Vec::new();
    };
    let slot = &context.prepared.selection.position(fetch.at).slots[slot];
    slot.arguments
        .iter()
        .filter_map(|(name, argument)| {
            let value = context.variables.argument(argument)?;
            Some((Arc::clone(name), value))
        })
        .collect()
}

/// The variables that the connector names in a phase, and no others; `key` is what is known
/// of the object.
pub(super) fn vars<'v>(
    context: &Context<'v>,
    (by, phase): (ByConnector<'v>, Phase),
    arguments: &'v [(Name, Constant)],
    key: impl Fn() -> Json<'v>,
) -> Vars<'v> {
    let ready = by.ready;
    let mut vars = Vars::new();
    if ready.uses(phase, "args") {
        let is_field = matches!(by.connector.gives, Gives::Field(_));
        // An entity field that resolves an entity finds the key in its arguments.
        let args = if is_field && by.fetch.slot.is_none() {
            key()
        } else {
            let mut object = Object::with_capacity(arguments.len());
            for (name, value) in arguments {
                object.insert(name.as_ref(), request::constant(value));
            }
            Json::object(object)
        };
        vars.set("args", args);
    }
    if ready.uses(phase, "this") {
        vars.set("this", key());
    }
    if ready.uses(phase, "config") {
        vars.set("config", given(phase, ready.config.root()));
    }
    if ready.uses(phase, "env") {
        vars.set("env", given(phase, ready.environment.root()));
    }
    if ready.uses(phase, "context") {
        // Nothing here writes a context yet; a mapping may ask for one all the same.
        vars.set("context", Json::object(Object::with_capacity(0)));
    }
    if ready.uses(phase, "request") {
        vars.set("request", request::headers_value(context.headers));
    }
    vars
}

/// A value that is there before any call. While an answer is mapped, every node must be one of
/// its body, because that is what slots will point into; so this is a copy then.
fn given(phase: Phase, node: Node<'_>) -> Json<'_> {
    match phase {
        Phase::Request => Json::Node(node),
        Phase::Answer => Json::Node(node).to_owned_value(),
    }
}
