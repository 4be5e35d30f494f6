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
        let mut json = Vec::with_capacity(rows.saturating_add(1).saturating_mul(ROW));
        json.extend_from_slice(br#"{"items":["#);
        Self { json, hash: 0 }
    }

    /// One more row of the list or group.
    pub(crate) fn push<T>(&mut self, row: &Row<T>) {
        self.separate();
        self.json.extend_from_slice(row.json());
        self.stir(row.hash());
    }

    /// Begins `{"<owner_key>":"<owner>","<rows_key>":[`.
    pub(crate) fn begin_group(&mut self, owner_key: &str, owner: Id, rows_key: &str) {
        self.separate();
        self.text("{\"");
        self.text(owner_key);
        self.text("\":\"");
        self.number(u64::from(owner.number()));
        self.text("\",\"");
        self.text(rows_key);
        self.text("\":[");
        self.stir(u64::from(owner.number()));
    }

    /// Ends the group that has begun, which has `total` rows when all are shown.
    pub(crate) fn end_group(&mut self, total: usize) {
        self.text("],\"total\":");
        self.number(total as u64);
        self.text("}");
        self.stir(total as u64);
    }

    /// Ends a page: where the next one begins, and how many rows all pages have.
    pub(crate) fn end_page(&mut self, next: Option<&str>, total: usize) {
        self.text("],\"next\":");
        match next {
            Some(cursor) => {
                self.text("\"");
                self.text(cursor);
                self.text("\"");
            }
            None => self.text("null"),
        }
        self.text(",\"total\":");
        self.number(total as u64);
        self.text("}");
        self.stir(u64::from(next.is_some()));
        self.stir(total as u64);
    }

    /// Ends a list that is no page.
    pub(crate) fn end(&mut self) {
        self.text("]}");
    }

    /// The body, and the hash of its version.
    pub(crate) fn into_parts(self) -> (Bytes, u64) {
        (Bytes::from(self.json), self.hash)
    }

    fn separate(&mut self) {
        if self.json.last() != Some(&b'[') {
            self.json.push(b',');
        }
    }

    fn text(&mut self, text: &str) {
        self.json.extend_from_slice(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.text(&number.to_string());
    }

    /// Hashing the hashes of the rows is as good as hashing the body, and much less work.
    fn stir(&mut self, bits: u64) {
        self.hash = mix(self.hash.rotate_left(7) ^ bits).wrapping_add(1);
    }
}

/// How long a row of the shop is, more or less.
const ROW: usize = 320;
