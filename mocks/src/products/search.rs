//! Filters of lists of products.

use hyper::StatusCode;

use super::stock::Stock;
use crate::http::{Problem, Query, take_id};
use crate::model::{Category, Id};

/// Conditions that must all hold; an absent condition always holds.
#[derive(Debug)]
pub(super) struct Filter {
    category: Option<Category>,
    merchant: Option<Id>,
    /// Lower-case words; the name or the description must contain each.
    words: Vec<String>,
}

impl Filter {
    /// Takes `category`, `merchantId` and `q`.
    pub(super) fn take(query: &mut Query<'_>) -> Result<Self, Problem> {
        let category = query.take_choice("category", &Category::ALL, Category::name)?;
        let merchant = take_id(query, "merchantId")?;
        let text = query.take("q").unwrap_or_default();
        if text.chars().count() > MAX_TEXT {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                format!("`q` has at most {MAX_TEXT} characters."),
            ));
        }
        Ok(Self {
            category,
            merchant,
            words: text.split_whitespace().map(str::to_lowercase).collect(),
        })
    }

    /// The products that match, ascending; `None` without a condition.
    pub(super) fn matching(&self, stock: &Stock) -> Option<Vec<Id>> {
        if self.category.is_none() && self.merchant.is_none() && self.words.is_empty() {
            return None;
        }
        let matches = |id: &Id| self.is_match(stock, *id);
        Some(match self.merchant {
            Some(merchant) => stock
                .products_of_merchant(merchant)
                .iter()
                .copied()
                .filter(matches)
                .collect(),
            None => (0..stock.rows().len())
                .map(Id::from_index)
                .filter(matches)
                .collect(),
        })
    }

    fn is_match(&self, stock: &Stock, id: Id) -> bool {
        let Some(row) = stock.rows().get(id.index()) else {
            return false;
        };
        let text = stock.search_text(id);
        self.category
            .is_none_or(|category| row.value().category == category)
            && self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

const MAX_TEXT: usize = 200;
