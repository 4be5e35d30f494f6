//! Writes the JSON of an introspection, within a maximum of bytes.

use apollo_compiler::Schema;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::Implementers;

use super::MetaField;
use super::meta::{Meta, MetaValue};
use crate::client::ClientSchema;

/// The JSON has more bytes than allowed.
pub(super) struct TooLarge;

pub(super) struct Writer<'a> {
    pub(super) schema: &'a Schema,
    pub(super) implementers: &'a HashMap<apollo_compiler::Name, Implementers>,
    json: Vec<u8>,
    /// Bytes that may still be written.
    remaining: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(client: &'a ClientSchema, max_bytes: usize) -> Self {
        Self {
            schema: &client.schema,
            implementers: &client.implementers,
            json: Vec::new(),
            remaining: max_bytes,
        }
    }

    /// The JSON of `__schema` or `__type`.
    pub(super) fn root(&mut self, root: &MetaField<'_>) -> Result<String, TooLarge> {
        let value = match &root.type_name {
            Some(name) if root.name == "__type" => Meta::named(self.schema, name).into(),
            _ if root.name == "__schema" => MetaValue::Object(Meta::Schema),
            _ => MetaValue::Null,
        };
        self.value(root, value)?;
        let json = std::mem::take(&mut self.json);
        String::from_utf8(json).map_err(|_| TooLarge) // Names and texts are UTF-8.
    }

    fn value(&mut self, field: &MetaField<'_>, value: MetaValue<'a>) -> Result<(), TooLarge> {
        match value {
            MetaValue::Null => self.raw("null"),
            MetaValue::Boolean(value) => self.raw(if value { "true" } else { "false" }),
            MetaValue::Text(text) => self.text(&text),
            MetaValue::Object(meta) => self.object(field, meta),
            MetaValue::List(items) => {
                self.raw("[")?;
                for (index, item) in items.enumerate() {
                    self.separate(index)?;
                    self.value(field, item)?;
                }
                self.raw("]")
            }
        }
    }

    fn object(&mut self, parent: &MetaField<'_>, meta: Meta<'a>) -> Result<(), TooLarge> {
        self.raw("{")?;
        for (index, field) in parent.fields.iter().enumerate() {
            self.separate(index)?;
            self.text(field.key)?;
            self.raw(":")?;
            let value = meta.field(self.schema, self.implementers, field);
            self.value(field, value)?;
        }
        self.raw("}")
    }

    fn separate(&mut self, index: usize) -> Result<(), TooLarge> {
        if index > 0 { self.raw(",") } else { Ok(()) }
    }

    fn raw(&mut self, text: &str) -> Result<(), TooLarge> {
        self.reserve(text.len())?;
        self.json.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), TooLarge> {
        let length = self.json.len();
        serde_json::to_writer(&mut self.json, text).map_err(|_| TooLarge)?;
        self.reserve(self.json.len() - length)
    }

    fn reserve(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.remaining = self.remaining.checked_sub(bytes).ok_or(TooLarge)?;
        Ok(())
    }
}
