//! The variables of templates and mappings, as far as a connector names them.

use std::sync::Arc;

use schema::connector::{ConnectorOutput, Phase};
use schema::json::{Node, Object, Value as Json};
use schema::mapping::Vars;
use schema::types::{Constant, Name};

use super::{ConnectorFetch, Context};
use crate::source_client::request;
use crate::source_client::variables::Variable;

/// The arguments of the field that a fetch is for, when the phase has any use for them.
pub(super) fn arguments(
    context: &Context<'_>,
    ConnectorFetch { fetch, ready, .. }: ConnectorFetch<'_>,
    phase: Phase,
) -> Vec<(Name, Constant)> {
    let Some(slot) = fetch
        .field_slot
        .filter(|_| ready.uses(phase, Variable::Args))
    else {
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
    (connector_fetch, phase): (ConnectorFetch<'v>, Phase),
    arguments: &'v [(Name, Constant)],
    key: impl Fn() -> Json<'v>,
) -> Vars<'v> {
    let ready = connector_fetch.ready;
    let mut vars = Vars::new();
    if ready.uses(phase, Variable::Args) {
        let is_field = matches!(connector_fetch.connector.output, ConnectorOutput::Field(_));
        // An entity field that resolves an entity finds the key in its arguments.
        let args = if is_field && connector_fetch.fetch.field_slot.is_none() {
            key()
        } else {
            let mut object = Object::with_capacity(arguments.len());
            for (name, value) in arguments {
                object.insert(name.as_ref(), request::mapping_value(value));
            }
            Json::object(object)
        };
        vars.set("args", args);
    }
    if ready.uses(phase, Variable::This) {
        vars.set("this", key());
    }
    if ready.uses(phase, Variable::Config) {
        vars.set("config", static_value(phase, ready.config.root()));
    }
    if ready.uses(phase, Variable::Env) {
        vars.set("env", static_value(phase, ready.environment.root()));
    }
    if ready.uses(phase, Variable::Context) {
        // Nothing here writes a context yet; a mapping may ask for one all the same.
        vars.set("context", Json::object(Object::with_capacity(0)));
    }
    if ready.uses(phase, Variable::Request) {
        vars.set("request", request::headers_value(context.headers));
    }
    vars
}

/// A value that is there before any call. While an answer is mapped, every node must be one of
/// its body, because that is what slots will point into; so this is a copy then.
fn static_value(phase: Phase, node: Node<'_>) -> Json<'_> {
    match phase {
        Phase::Request => Json::Node(node),
        Phase::Response => Json::Node(node).to_owned_value(),
    }
}
