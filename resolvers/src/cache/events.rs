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
    pub meanings: Arc<dyn Meanings>,
}

/// Knows what is meant by a change, and is told of what has no meaning.
pub trait Meanings: fmt::Debug + Send + Sync {
    /// What is to be invalidated for `change`.
    fn targets(&self, change: Change) -> Vec<Target>;

    /// A message, or the stream, is not as it should be.
    fn complain(&self, complaint: Complaint<'_>);
}

/// One thing that has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// This.
    Of(Target),
    /// The object of this type whose key is one field with this value.
    OfValue {
        /// The type.
        type_name: String,
        /// The value.
        value: String,
    },
}

/// What an operator should know of the stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint<'a> {
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
pub(super) fn read(fields: &[(Vec<u8>, Vec<u8>)]) -> (Vec<Change>, Option<String>) {
    let mut reading = Reading::default();
    if fields.is_empty() {
        reading.complain("it has no fields".to_owned());
    }
    for (name, value) in fields {
        match (str::from_utf8(name), str::from_utf8(value)) {
            (Ok(name), Ok(value)) if !value.is_empty() => reading.field(name, value),
            (Ok(name), Ok(_)) => reading.complain(format!("`{name}` is empty")),
            _ => reading.complain("it is not UTF-8".to_owned()),
        }
    }
    reading.end_type();
    (reading.changes, reading.problem)
}

#[derive(Default)]
struct Reading {
    changes: Vec<Change>,
    /// The type that was named last, and whether a key came after it.
    ty: Option<(String, bool)>,
    problem: Option<String>,
}

impl Reading {
    fn field(&mut self, name: &str, value: &str) {
        match name {
            "type" => {
                self.end_type();
                self.ty = Some((value.to_owned(), false));
            }
            "key" => self.key(value),
            "tag" => self.changed(Target::Named(value.to_owned())),
            "subgraph" => self.changed(Target::Subgraph(value.to_owned())),
            _ => self.complain(format!("there is no field `{name}`")),
        }
    }

    fn key(&mut self, value: &str) {
        let Some((type_name, has_key)) = &mut self.ty else {
            return self.complain("`key` stands before any `type`".to_owned());
        };
        let type_name = type_name.clone();
        if !value.starts_with('{') {
            *has_key = true;
            let value = value.to_owned();
            self.changes.push(Change::OfValue { type_name, value });
        } else if let Some(key) = EntityKey::read(value) {
            *has_key = true;
            self.changed(Target::Entity { type_name, key });
        } else {
            // Which one it is cannot be said, so it is all of them.
            self.complain("`key` is no JSON object with fields".to_owned());
            self.changed(Target::Type(type_name));
        }
    }

    /// A type without a key after it is meant whole.
    fn end_type(&mut self) {
        if let Some((name, false)) = self.ty.take() {
            self.changed(Target::Type(name));
        }
    }

    fn changed(&mut self, target: Target) {
        self.changes.push(Change::Of(target));
    }

    fn complain(&mut self, problem: String) {
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
        let (changes, found) = read(&fields);
        assert_eq!(changes, expected);
        assert_eq!(found.as_deref(), problem);
    }

    fn of_type(name: &str) -> Change {
        Change::Of(Target::Type(name.to_owned()))
    }

    fn value(type_name: &str, value: &str) -> Change {
        Change::OfValue {
            type_name: type_name.to_owned(),
            value: value.to_owned(),
        }
    }

    fn tag(name: &str) -> Change {
        Change::Of(Target::Named(name.to_owned()))
    }

    #[test]
    fn a_message_says_one_thing_or_several() {
        let entity = Change::Of(Target::Entity {
            type_name: "Review".to_owned(),
            key: EntityKey::read(r#"{"id":"5"}"#).unwrap(),
        });
        let subgraph = Change::Of(Target::Subgraph("products".to_owned()));

        check(&[("type", "Product")], &[of_type("Product")], None);
        check(
            &[("type", "Product"), ("key", "42"), ("key", "43")],
            &[value("Product", "42"), value("Product", "43")],
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
            &[subgraph, of_type("User"), entity, tag("red")],
            None,
        );
    }

    #[test]
    fn what_can_be_read_counts_whatever_stands_beside_it() {
        check(
            &[("trace", "7"), ("tag", "red"), ("type", "")],
            &[tag("red")],
            Some("there is no field `trace`"),
        );
        check(
            &[("type", "Product"), ("key", "{}")],
            &[of_type("Product"), of_type("Product")],
            Some("`key` is no JSON object with fields"),
        );
        check(&[("key", "1")], &[], Some("`key` stands before any `type`"));
        check(&[("tag", "")], &[], Some("`tag` is empty"));
        check(&[], &[], Some("it has no fields"));
        let (changes, problem) = read(&[(b"tag".to_vec(), vec![0xff])]);
        assert_eq!(
            (changes.len(), problem.as_deref()),
            (0, Some("it is not UTF-8"))
        );
    }
}
