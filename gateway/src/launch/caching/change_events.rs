//! Resolves change events of sources to cache tags of the served graph.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use resolvers::cache::{Change, EventError, EventResolver, Target};
use resolvers::invalidation::CurrentNames;

use crate::clip::clipped;

/// Resolves change events by the names of the graph, and logs invalid ones.
#[derive(Debug)]
pub(super) struct GraphEventResolver {
    names: CurrentNames,
    /// Whether an invalid message was logged at `warn`.
    has_logged: AtomicBool,
}

impl GraphEventResolver {
    pub(super) fn new(names: CurrentNames) -> Self {
        Self {
            names,
            has_logged: AtomicBool::new(false),
        }
    }
}

impl EventResolver for GraphEventResolver {
    /// A source may know more names than this graph, or another version of it; an unknown name is
    /// resolved to the narrowest target that includes it.
    fn resolve(&self, change: Change) -> Vec<Target> {
        let names = self.names.load();
        match change {
            Change::Target(target) => names.resolve(target.clone()).unwrap_or_else(|_| {
                vec![match target {
                    // These fields are not a key of the type, so the entity is unknown.
                    Target::Entity { type_name, .. } => Target::Type(type_name),
                    other => other,
                }]
            }),
            Change::EntityByValue { type_name, value } => names
                .resolve_value(&type_name, &value)
                .unwrap_or_else(|| self.resolve(Change::Target(Target::Type(type_name)))),
        }
    }

    fn report(&self, error: EventError<'_>) {
        match error {
            EventError::Stream(problem) => {
                tracing::error!(problem, "cannot read the stream of change events");
            }
            // A faulty writer sends many invalid messages; the metrics count them.
            EventError::Message { id, problem } => {
                let problem = &*clipped(problem, MAX_PROBLEM);
                if self.has_logged.swap(true, Ordering::Relaxed) {
                    tracing::debug!(id, problem, "invalid change event");
                } else {
                    let later = "further ones are logged at `debug`, and counted";
                    tracing::warn!(id, problem, later, "invalid change event");
                }
            }
        }
    }
}

/// Maximum characters of a problem in the log: it may quote a name from the message.
const MAX_PROBLEM: NonZeroUsize = NonZeroUsize::new(512).unwrap();

#[cfg(test)]
mod tests {
    use resolvers::cache::EntityKey;
    use resolvers::invalidation::Names;
    use schema::link::{LinkOptions, link};

    use super::*;
    use crate::shop;

    fn resolver() -> GraphEventResolver {
        let options = LinkOptions {
            experimental_connect: false,
            ..LinkOptions::default()
        };
        let (graph, diagnostics) = link(&shop::subgraphs(), options);
        let names = CurrentNames::default();
        names.replace(Names::new(
            &graph.unwrap_or_else(|| panic!("{diagnostics:#?}")),
        ));
        GraphEventResolver::new(names)
    }

    fn entity(type_name: &str, key: &str) -> Target {
        Target::Entity {
            type_name: type_name.to_owned(),
            key: EntityKey::from_json(key).unwrap(),
        }
    }

    fn value(type_name: &str) -> Change {
        Change::EntityByValue {
            type_name: type_name.to_owned(),
            value: "42".to_owned(),
        }
    }

    #[test]
    fn a_bare_value_is_resolved_to_the_entity_key_of_the_graph() {
        let product = entity("Product", r#"{"id":"42"}"#);

        assert_eq!(resolver().resolve(value("Product")), [product]);
    }

    #[test]
    fn unknown_names_are_resolved_to_the_narrowest_target_that_includes_them() {
        let resolver = resolver();
        let ty = |name: &str| Target::Type(name.to_owned());

        assert_eq!(resolver.resolve(value("Novelty")), [ty("Novelty")]);
        let by_name = entity("Product", r#"{"name":"a"}"#);
        assert_eq!(resolver.resolve(Change::Target(by_name)), [ty("Product")]);
        let elsewhere = Target::Subgraph("elsewhere".to_owned());
        let change = Change::Target(elsewhere.clone());
        assert_eq!(resolver.resolve(change), [elsewhere]);
    }
}
