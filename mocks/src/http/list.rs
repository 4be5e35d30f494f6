//! The bytes of a list, copied together from rows that are rendered already.

use bytes::Bytes;

use crate::model::Id;
use crate::store::{Row, mix};

/// `{"items":[…],…}` while it grows, and the version of what is in it.
#[derive(Debug)]
pub(crate) struct ListBody {
    json: Vec<u8>,
    hash: u64,
}

impl ListBody {
    /// A list that has begun, with room for about so many rows.
    pub(crate) fn new(rows: usize) -> Self {
        let mut json = Vec::with_capacity(rows.saturating_add(1).saturating_mul(USUAL_ROW_BYTES));
        json.extend_from_slice(br#"{"items":["#);
        Self { json, hash: 0 }
    }

    /// One more row of the list or group.
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

    /// Ends the group that has begun, which has `total` rows when all are shown.
    pub(crate) fn end_group(&mut self, total: usize) {
        self.write_text("],\"total\":");
        self.write_number(total as u64);
        self.write_text("}");
        self.mix_hash(total as u64);
    }

    /// Ends a page: where the next one begins, and how many rows all pages have.
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

    /// Ends a list that is no page.
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

    /// Hashing the hashes of the rows is as good as hashing the body, and much less work.
    fn mix_hash(&mut self, bits: u64) {
        self.hash = mix(self.hash.rotate_left(7) ^ bits).wrapping_add(1);
    }
}

/// How long a row of the shop is, more or less.
const USUAL_ROW_BYTES: usize = 320;
