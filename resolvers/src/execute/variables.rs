//! The variables of templates and mappings; only those that a connector uses are built.

use std::sync::Arc;

use schema::connector::{ConnectorOutput, Phase};
use schema::json::{Node, Object, Value as Json};
use schema::mapping::Vars;
use schema::types::{Constant, Name};

use super::{ConnectorFetch, Context};
use crate::source_client::request;
use crate::source_client::variables::Variable;

/// The arguments of a root field, if the connector uses them in this phase.
pub(super) fn arguments(
    context: &Context<'_>,
    ConnectorFetch { fetch, client, .. }: ConnectorFetch<'_>,
    phase: Phase,
) -> Vec<(Name, Constant)> {
    let Some(slot) = fetch
        .field_slot
        .filter(|_| client.uses(phase, Variable::Args))
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

/// The variables that the connector uses in this phase; `key` returns the entity's key (`$this`).
pub(super) fn vars<'v>(
    context: &Context<'v>,
    fetch: ConnectorFetch<'v>,
    phase: Phase,
    arguments: &'v [(Name, Constant)],
    key: impl Fn() -> Json<'v>,
) -> Vars<'v> {
    let client = fetch.client;
    let mut vars = Vars::new();
    if client.uses(phase, Variable::Args) {
        let is_field = matches!(fetch.connector.output, ConnectorOutput::Field(_));
        // A field that resolves an entity has the key in its arguments.
        let args = if is_field && fetch.fetch.field_slot.is_none() {
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
    if client.uses(phase, Variable::This) {
        vars.set("this", key());
    }
    if client.uses(phase, Variable::Config) {
        vars.set("config", static_value(phase, client.config.root()));
    }
    if client.uses(phase, Variable::Env) {
        vars.set("env", static_value(phase, client.environment.root()));
    }
    if client.uses(phase, Variable::Context) {
        // No context is written yet, but a mapping may read it.
        vars.set("context", Json::object(Object::with_capacity(0)));
    }
    if client.uses(phase, Variable::Request) {
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
