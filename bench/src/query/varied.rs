//! The varied query: pages of orders, with subsets of their fields.

use bytes::Bytes;
use serde_json::json;

use super::body;

/// The optional fields of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields(u8);

impl Fields {
    /// All fields.
    pub(crate) const ALL: Self = Self(0b11_1111);

    /// Every subset.
    pub(crate) fn subsets() -> impl Iterator<Item = Self> {
        (0..=Self::ALL.0).map(Self)
    }

    pub(crate) const fn has_status(self) -> bool {
        self.0 & 1 != 0
    }

    pub(crate) const fn has_customer_name(self) -> bool {
        self.0 & 2 != 0
    }

    pub(crate) const fn has_customer_email(self) -> bool {
        self.0 & 4 != 0
    }

    pub(crate) const fn has_quantity(self) -> bool {
        self.0 & 8 != 0
    }

    pub(crate) const fn has_product_name(self) -> bool {
        self.0 & 16 != 0
    }

    pub(crate) const fn has_price(self) -> bool {
        self.0 & 32 != 0
    }

    /// The document that selects these fields.
    pub(crate) fn document(self) -> String {
        let optional = |has: bool, field: &'static str| if has { field } else { "" };
        let status = optional(self.has_status(), " status");
        let name = optional(self.has_customer_name(), " name");
        let email = optional(self.has_customer_email(), " email");
        let quantity = optional(self.has_quantity(), "quantity ");
        let product = optional(self.has_product_name(), " name");
        let price = optional(self.has_price(), " price { amount currency }");
        format!(
            "query($first: Int!, $after: String!) {{ orders(first: $first, after: $after) {{ nodes {{ id{status} customer {{ id{name}{email} }} items {{ {quantity}product {{ id{product}{price} }} }} }} }} }}"
        )
    }
}

/// One request for each page and subset, in an order in which neighbours differ in both.
pub(super) fn bodies() -> Vec<Bytes> {
    let documents: Vec<String> = Fields::subsets().map(Fields::document).collect();
    let count = PAGES * documents.len();
    // A step without a common factor reaches every pair once.
    let pairs = (0..count).map(|index| index * STEP % count);
    let requests = pairs.map(|pair| {
        let (page, subset) = (pair / documents.len(), pair % documents.len());
        let variables = json!({
            "first": SMALLEST + page * 7 % (LARGEST + 1 - SMALLEST),
            "after": (FIRST_ORDER + page * ORDERS_BETWEEN).to_string(),
        });
        body(&json!({ "query": documents.get(subset), "variables": variables }))
    });
    requests.collect()
}

/// Number of pages.
const PAGES: usize = 64;

/// Fewest and most orders of a page.
const SMALLEST: usize = 40;
const LARGEST: usize = 60;

/// The order after which the first page begins.
const FIRST_ORDER: usize = 500;

/// Number of orders from the begin of a page to that of the next.
const ORDERS_BETWEEN: usize = 23;

/// A prime that divides no number of pairs.
const STEP: usize = 1_597;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_pages_with_all_subsets_are_requested_once() {
        let bodies = bodies();
        let distinct: HashSet<&Bytes> = bodies.iter().collect();
        assert_eq!((bodies.len(), distinct.len()), (4_096, 4_096));
    }

    #[test]
    fn a_subset_leaves_fields_out() {
        assert_eq!(
            Fields(0b10_0001).document(),
            "query($first: Int!, $after: String!) { orders(first: $first, after: $after) { nodes { id status customer { id } items { product { id price { amount currency } } } } } }"
        );
    }
}
