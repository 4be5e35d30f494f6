//! Encodes a value as the body of an HTML form.

use url::form_urlencoded::byte_serialize;

use crate::json::{Value, View};

/// The body is not an object; every value in a form needs a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a form body must be an object, found {found}")]
pub struct FormError {
    /// The kind of value.
    pub found: &'static str,
}

/// Encodes an object as `application/x-www-form-urlencoded`: `a[b]` for nested members, `a[0]` for
/// elements, an empty text for null. Nested empty lists and objects are omitted.
pub fn encode(value: &Value<'_>) -> Result<String, FormError> {
    let View::Object(fields) = value.view() else {
        return Err(FormError {
            found: value.kind_name(),
        });
    };
    let mut form = Form::default();
    for (key, value) in fields.iter() {
        form.with_name(&key, |form| form.add(&value));
    }
    Ok(form.body)
}

#[derive(Default)]
struct Form {
    body: String,
    /// The name of the current value.
    name: String,
}

impl Form {
    fn add(&mut self, value: &Value<'_>) {
        match value.view() {
            View::Null => self.pair(""),
            View::Bool(value) => self.pair(if value { "true" } else { "false" }),
            View::Number(text) => self.pair(text),
            View::String(text) => self.pair(&text),
            View::List(list) => {
                for (index, element) in list.iter().enumerate() {
                    self.with_name(&format!("[{index}]"), |form| form.add(&element));
                }
            }
            View::Object(fields) => {
                for (key, value) in fields.iter() {
                    self.with_name(&format!("[{key}]"), |form| form.add(&value));
                }
            }
        }
    }

    fn with_name(&mut self, part: &str, add: impl FnOnce(&mut Self)) {
        let len = self.name.len();
        self.name.push_str(part);
        add(self);
        self.name.truncate(len);
    }

    fn pair(&mut self, text: &str) {
        if !self.body.is_empty() {
            self.body.push('&');
        }
        self.body.extend(byte_serialize(self.name.as_bytes()));
        self.body.push('=');
        self.body.extend(byte_serialize(text.as_bytes()));
    }
}
