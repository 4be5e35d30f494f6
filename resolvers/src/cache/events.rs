//! What services say has changed: the fields of one message on the stream of events.
//!
//! Pure. `type` names a type, and `key` after it one object of that type; without one it is all of
//! them. `tag` and `subgraph` stand alone. What can be read of a message counts, whatever else is
//! in it: not to invalidate what has changed is the only mistake.

use std::fmt;
use std::sync::Arc;

use super::tags::target::{EntityKey, Target};

/// Where services say what has changed.
#[derive(Clone, Debug)]
pub struct EventSettings {
    /// The name of the stream.
    pub stream: String,
    /// The consumer group: each message is handled by one of it.
    pub group: String,
    /// Whoever knows the graph.
    pub resolver: Arc<dyn EventResolver>,
}

/// Knows what is meant by a change, and is told of what has no meaning.
pub trait EventResolver: fmt::Debug + Send + Sync {
    /// What is to be invalidated for `change`.
    fn resolve(&self, change: Change) -> Vec<Target>;

    /// A message, or the stream, is not as it should be.
    fn report(&self, error: EventError<'_>);
}

/// One thing that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This.
    Target(Target),
    /// The object of this type whose key is one field with this value.
    EntityByValue {
        /// The type.
        type_name: String,
        /// The value.
        value: String,
    },
}

/// What an operator should know of the stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventError<'a> {
    /// A message has something in it that cannot be read.
    Message {
        /// Its place in the stream.
        id: &'a str,
        /// What.
        problem: &'a str,
    },
    /// Redis does not let the stream be read.
    Stream(&'a str),
}

/// Everything that a message says, and the first thing in it that cannot be read.
pub(super) fn parse_message(fields: &[(Vec<u8>, Vec<u8>)]) -> (Vec<Change>, Option<String>) {
    let mut parser = MessageParser::default();
    if fields.is_empty() {
        parser.record_problem("it has no fields".to_owned());
    }
    for (name, value) in fields {
        match (str::from_utf8(name), str::from_utf8(value)) {
            (Ok(name), Ok(value)) if !value.is_empty() => parser.field(name, value),
            (Ok(name), Ok(_)) => parser.record_problem(format!("`{name}` is empty")),
            _ => parser.record_problem("it is not UTF-8".to_owned()),
        }
    }
    parser.finish_type();
    (parser.changes, parser.problem)
}

#[derive(Default)]
struct MessageParser {
    changes: Vec<Change>,
    /// The type that was named last, and whether a key came after it.
    current_type: Option<(String, bool)>,
    problem: Option<String>,
}

impl MessageParser {
    fn field(&mut self, name: &str, value: &str) {
        match name {
            "type" => {
                self.finish_type();
                self.current_type = Some((value.to_owned(), false));
            }
            "key" => self.key(value),
            "tag" => self.push_target(Target::Named(value.to_owned())),
            "subgraph" => self.push_target(Target::Subgraph(value.to_owned())),
            _ => self.record_problem(format!("there is no field `{name}`")),
        }
    }

    fn key(&mut self, value: &str) {
        let Some((type_name, has_key)) = &mut self.current_type else {
            return self.record_problem("`key` stands before any `type`".to_owned());
        };
        let type_name = type_name.clone();
        if !value.starts_with('{') {
            *has_key = true;
            let value = value.to_owned();
            self.changes
                .push(Change::EntityByValue { type_name, value });
        } else if let Some(key) = EntityKey::from_json(value) {
            *has_key = true;
            self.push_target(Target::Entity { type_name, key });
        } else {
            // Which one it is cannot be said, so it is all of them.
            self.record_problem("`key` is no JSON object with fields".to_owned());
            self.push_target(Target::Type(type_name));
        }
    }

    /// A type without a key after it is meant whole.
    fn finish_type(&mut self) {
        if let Some((name, false)) = self.current_type.take() {
            self.push_target(Target::Type(name));
        }
    }

    fn push_target(&mut self, target: Target) {
        self.changes.push(Change::Target(target));
    }

    fn record_problem(&mut self, problem: String) {
        self.problem.get_or_insert(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[(&str, &str)], expected: &[Change], problem: Option<&str>) {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .collect();
        let (changes, found) = parse_message(&fields);
        assert_eq!(changes, expected);
        assert_eq!(found.as_deref(), problem);
    }

    fn type_change(name: &str) -> Change {
        Change::Target(Target::Type(name.to_owned()))
    }

    fn entity_change(type_name: &str, value: &str) -> Change {
        Change::EntityByValue {
            type_name: type_name.to_owned(),
            value: value.to_owned(),
        }
    }

    fn tag_change(name: &str) -> Change {
        Change::Target(Target::Named(name.to_owned()))
    }

    #[test]
    fn a_message_has_one_change_or_several() {
        let entity = Change::Target(Target::Entity {
            type_name: "Review".to_owned(),
            key: EntityKey::from_json(r#"{"id":"5"}"#).unwrap(),
        });
        let subgraph = Change::Target(Target::Subgraph("products".to_owned()));

        check(&[("type", "Product")], &[type_change("Product")], None);
        check(
            &[("type", "Product"), ("key", "42"), ("key", "43")],
            &[
                entity_change("Product", "42"),
                entity_change("Product", "43"),
            ],
            None,
        );
        check(
            &[
                ("subgraph", "products"),
                ("type", "User"),
                ("type", "Review"),
                ("key", r#"{"id":5}"#),
                ("tag", "red"),
            ],
            &[subgraph, type_change("User"), entity, tag_change("red")],
            None,
        );
    }

    #[test]
    fn readable_fields_count_beside_unreadable_ones() {
        check(
            &[("trace", "7"), ("tag", "red"), ("type", "")],
            &[tag_change("red")],
            Some("there is no field `trace`"),
        );
        check(
            &[("type", "Product"), ("key", "{}")],
            &[type_change("Product"), type_change("Product")],
            Some("`key` is no JSON object with fields"),
        );
        check(&[("key", "1")], &[], Some("`key` stands before any `type`"));
        check(&[("tag", "")], &[], Some("`tag` is empty"));
        check(&[], &[], Some("it has no fields"));
        let (changes, problem) = parse_message(&[(b"tag".to_vec(), vec![0xff])]);
        assert_eq!(
            (changes.len(), problem.as_deref()),
            (0, Some("it is not UTF-8"))
        );
    }
}
