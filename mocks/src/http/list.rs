//! The JSON of a list, concatenated from serialized rows.

use bytes::Bytes;

use crate::model::Id;
use crate::store::{Row, mix};

/// `{"items":[…],…}` under construction, with the hash of its version.
#[derive(Debug)]
pub(crate) struct ListBody {
    json: Vec<u8>,
    hash: u64,
}

impl ListBody {
    /// An empty list with room for about `rows` rows.
    pub(crate) fn new(rows: usize) -> Self {
        let mut json = Vec::with_capacity(rows.saturating_add(1).saturating_mul(USUAL_ROW_BYTES));
        json.extend_from_slice(br#"{"items":["#);
        Self { json, hash: 0 }
    }

    /// Appends a row to the list or group.
    pub(crate) fn push<T>(&mut self, row: &Row<T>) {
        self.write_separator();
        self.json.extend_from_slice(row.json());
        self.mix_hash(row.hash());
    }

    /// Begins `{"<owner_key>":"<owner>","<rows_key>":[`.
    pub(crate) fn begin_group(&mut self, owner_key: &str, owner: Id, rows_key: &str) {
        self.write_separator();
        self.write_text("{\"");
        self.write_text(owner_key);
        self.write_text("\":\"");
        self.write_number(u64::from(owner.number()));
        self.write_text("\",\"");
        self.write_text(rows_key);
        self.write_text("\":[");
        self.mix_hash(u64::from(owner.number()));
    }

    /// Ends the current group, whose owner has `total` rows.
    pub(crate) fn end_group(&mut self, total: usize) {
        self.write_text("],\"total\":");
        self.write_number(total as u64);
        self.write_text("}");
        self.mix_hash(total as u64);
    }

    /// Ends a page with the cursor of the next one and the number of rows on all pages.
    pub(crate) fn end_page(&mut self, next: Option<&str>, total: usize) {
        self.write_text("],\"next\":");
        match next {
            Some(cursor) => {
                self.write_text("\"");
                self.write_text(cursor);
                self.write_text("\"");
            }
            None => self.write_text("null"),
        }
        self.write_text(",\"total\":");
        self.write_number(total as u64);
        self.write_text("}");
        self.mix_hash(u64::from(next.is_some()));
        self.mix_hash(total as u64);
    }

    /// Ends a list without pages.
    pub(crate) fn end(&mut self) {
        self.write_text("]}");
    }

    /// The body, and the hash of its version.
    pub(crate) fn into_parts(self) -> (Bytes, u64) {
        (Bytes::from(self.json), self.hash)
    }

    fn write_separator(&mut self) {
        if self.json.last() != Some(&b'[') {
            self.json.push(b',');
        }
    }

    fn write_text(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }

    fn write_number(&mut self, number: u64) {
        self.write_text(&number.to_string());
    }

    /// Combines the hashes of the rows, which is cheaper than hashing the body.
    fn mix_hash(&mut self, bits: u64) {
        self.hash = mix(self.hash.rotate_left(7) ^ bits).wrapping_add(1);
    }
}

/// Typical length of a row, in bytes.
const USUAL_ROW_BYTES: usize = 320;
