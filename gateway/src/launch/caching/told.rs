//! What services say has changed, as the graph that is served understands it.

use std::sync::atomic::{AtomicBool, Ordering};

use resolvers::cache::{Change, Complaint, Meanings, Target};
use resolvers::invalidation::CurrentNames;

/// Understands what services say, and logs what it does not.
#[derive(Debug)]
pub(super) struct Told {
    names: CurrentNames,
    /// Whether a message that cannot be read was logged.
    has_complained: AtomicBool,
}

impl Told {
    pub(super) fn new(names: CurrentNames) -> Self {
        Self {
            names,
            has_complained: AtomicBool::new(false),
        }
    }
}

impl Meanings for Told {
    /// Whoever says what changed may know of more than this graph has, or of another version of it:
    /// what is unknown is read as widely as it takes.
    fn targets(&self, change: Change) -> Vec<Target> {
        let names = self.names.load();
        match change {
            Change::Of(target) => names.meant(target.clone()).unwrap_or_else(|_| {
                vec![match target {
                    // Nothing is found by these fields, so nobody can say which one it is.
                    Target::Entity { type_name, .. } => Target::Type(type_name),
                    other => other,
                }]
            }),
            Change::OfValue { type_name, value } => names
                .of_value(&type_name, &value)
                .unwrap_or_else(|| self.targets(Change::Of(Target::Type(type_name)))),
        }
    }

    fn complain(&self, complaint: Complaint<'_>) {
        match complaint {
            Complaint::Stream(problem) => {
                tracing::error!(problem, "the stream of events cannot be read");
            }
            // One writer that is wrong is wrong in each message; the metrics count them.
            Complaint::Message { id, problem } => {
                if self.has_complained.swap(true, Ordering::Relaxed) {
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

    fn told() -> Told {
        let options = LinkOptions {
            experimental_connect: false,
        };
        let (graph, diagnostics) = link(&shop::subgraphs(), options);
        let names = CurrentNames::default();
        names.replace(Names::of(
            &graph.unwrap_or_else(|| panic!("{diagnostics:#?}")),
        ));
        Told::new(names)
    }

    fn entity(type_name: &str, key: &str) -> Target {
        Target::Entity {
            type_name: type_name.to_owned(),
            key: EntityKey::read(key).unwrap(),
        }
    }

    fn value(type_name: &str) -> Change {
        Change::OfValue {
            type_name: type_name.to_owned(),
            value: "42".to_owned(),
        }
    }

    #[test]
    fn a_value_is_that_of_the_key_that_the_graph_says() {
        let product = entity("Product", r#"{"id":"42"}"#);

        assert_eq!(told().targets(value("Product")), [product]);
    }

    #[test]
    fn what_the_graph_does_not_know_is_read_as_widely_as_it_takes() {
        let told = told();
        let ty = |name: &str| Target::Type(name.to_owned());

        assert_eq!(told.targets(value("Novelty")), [ty("Novelty")]);
        let by_name = entity("Product", r#"{"name":"a"}"#);
        assert_eq!(told.targets(Change::Of(by_name)), [ty("Product")]);
        let elsewhere = Target::Subgraph("elsewhere".to_owned());
        let change = Change::Of(elsewhere.clone());
        assert_eq!(told.targets(change), [elsewhere]);
    }
}
