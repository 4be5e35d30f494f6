//! What services say has changed, as the graph that is served understands it.

use std::sync::atomic::{AtomicBool, Ordering};

use resolvers::cache::{Change, EventError, EventResolver, Target};
use resolvers::invalidation::CurrentNames;

/// Understands what services say, and logs what it does not.
#[derive(Debug)]
pub(super) struct GraphEventResolver {
    names: CurrentNames,
    /// Whether a message that cannot be read was logged.
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
    /// Whoever says what changed may know of more than this graph has, or of another version of it:
    /// what is unknown is read as widely as it takes.
    fn resolve(&self, change: Change) -> Vec<Target> {
        let names = self.names.load();
        match change {
            Change::Target(target) => names.resolve(target.clone()).unwrap_or_else(|_| {
                vec![match target {
                    // Nothing is found by these fields, so nobody can say which one it is.
                    Target::Entity { type_name, .. } => Target::Type(type_name),
                    other => other,
                }]
            }),
            Change::EntityByValue { type_name, value } => names
                .resolve_value(&type_name, &value)
                .unwrap_or_else(|| self.resolve(Change::Target(Target::Type(type_name)))),
        }
    }

    fn report(&self, complaint: EventError<'_>) {
        match complaint {
            EventError::Stream(problem) => {
                tracing::error!(problem, "the stream of events cannot be read");
            }
            // One writer that is wrong is wrong in each message; the metrics count them.
            EventError::Message { id, problem } => {
                if self.has_logged.swap(true, Ordering::Relaxed) {
                    tracing::debug!(id, problem, "an event cannot be read");
                } else {
                    let later = "further ones are logged at `debug`, and counted";
                    tracing::warn!(id, problem, later, "an event cannot be read");
                }
            }
        }
    }
}

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
    fn a_value_is_read_as_the_entity_key_of_the_graph() {
        let product = entity("Product", r#"{"id":"42"}"#);

        assert_eq!(resolver().resolve(value("Product")), [product]);
    }

    #[test]
    fn unknown_names_invalidate_as_much_as_necessary() {
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
