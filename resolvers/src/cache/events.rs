//! Change events: messages in which services report changed data, parsed from stream fields.
//!
//! Pure. `type` names a type, and each `key` after it one object of that type; without a key the
//! event is about all of them. `tag` and `subgraph` stand alone. Readable fields count even if
//! others are malformed: a missed invalidation is worse than one too many.

use std::fmt;
use std::sync::Arc;

use super::tags::target::{EntityKey, Target};

/// The stream of change events.
#[derive(Clone, Debug)]
pub struct EventSettings {
    /// Name of the stream in Redis.
    pub stream: String,
    /// Name of the consumer group, in which one replica handles each message.
    pub group: String,
    /// Maps changes to targets of the current graph.
    pub resolver: Arc<dyn EventResolver>,
}

/// Maps changes to targets of the current graph, and reports malformed events.
pub trait EventResolver: fmt::Debug + Send + Sync {
    /// The targets to invalidate for `change`.
    fn resolve(&self, change: Change) -> Vec<Target>;

    /// Reports a malformed message, or a stream that cannot be read.
    fn report(&self, error: EventError<'_>);
}

/// A change in the data of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A change of this target.
    Target(Target),
    /// A change of the object of a type whose key is one field with this value.
    EntityByValue {
        /// Name of the type.
        type_name: String,
        /// Value of the key field.
        value: String,
    },
}

/// A failure of change events, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventError<'a> {
    /// A message is malformed; its readable fields were applied.
    Message {
        /// Its id in the stream.
        id: &'a str,
        /// Reason.
        problem: &'a str,
    },
    /// Redis refuses to read the stream.
    Stream(&'a str),
}

/// All changes in a message, and the first problem in it.
pub(super) fn parse_message(fields: &[(Vec<u8>, Vec<u8>)]) -> (Vec<Change>, Option<String>) {
    let mut parser = MessageParser::default();
    if fields.is_empty() {
        parser.record_problem("the message has no fields".to_owned());
    }
    for (name, value) in fields {
        match (str::from_utf8(name), str::from_utf8(value)) {
            (Ok(name), Ok(value)) if !value.is_empty() => parser.field(name, value),
            (Ok(name), Ok(_)) => parser.record_problem(format!("`{name}` is empty")),
            _ => parser.record_problem("a field is not UTF-8".to_owned()),
        }
    }
    parser.finish_type();
    (parser.changes, parser.problem)
}

#[derive(Default)]
struct MessageParser {
    changes: Vec<Change>,
    /// The last `type` field, and whether a key followed it.
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
            _ => self.record_problem(format!("unknown field `{name}`")),
        }
    }

    fn key(&mut self, value: &str) {
        let Some((type_name, has_key)) = &mut self.current_type else {
            return self.record_problem("`key` comes before any `type`".to_owned());
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
            // The object is unknown, so all objects of the type are invalidated.
            self.record_problem("`key` is not a JSON object with fields".to_owned());
            self.push_target(Target::Type(type_name));
        }
    }

    /// A type without a key after it stands for all of its objects.
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
            Some("unknown field `trace`"),
        );
        check(
            &[("type", "Product"), ("key", "{}")],
            &[type_change("Product"), type_change("Product")],
            Some("`key` is not a JSON object with fields"),
        );
        check(&[("key", "1")], &[], Some("`key` comes before any `type`"));
        check(&[("tag", "")], &[], Some("`tag` is empty"));
        check(&[], &[], Some("the message has no fields"));
        let (changes, problem) = parse_message(&[(b"tag".to_vec(), vec![0xff])]);
        assert_eq!(
            (changes.len(), problem.as_deref()),
            (0, Some("a field is not UTF-8"))
        );
    }
}
