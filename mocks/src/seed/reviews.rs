//! The reviews of the seed data.

use super::opinions::{OPINIONS, REMARKS};
use super::random::Random;
use super::{DAY, FIRST_ORDER, HANDOVER, MERCHANTS, PRODUCTS, USERS};
use crate::model::Timestamp;
use crate::model::{Id, Review};

/// All reviews, in the order of their ids and times; a customer reviews a product at most once.
pub(crate) fn reviews() -> Vec<Review> {
    let mut reviews: Vec<Review> = (0..PRODUCTS).flat_map(product_reviews).collect();
    reviews.sort_by_key(|review| (review.created_at, review.product_id, review.user_id));
    for (index, review) in reviews.iter_mut().enumerate() {
        review.id = Id::from_index(index);
    }
    reviews
}

/// Up to `MAX_REVIEWS` reviews of one product; their ids are assigned later.
fn product_reviews(index: usize) -> Vec<Review> {
    let mut random = Random::new(4, index);
    // The minimum of two draws: most products have few reviews, some have many.
    let count = random
        .below(MAX_REVIEWS + 1)
        .min(random.below(MAX_REVIEWS + 2));
    let liked = random.chance(75);
    let mut reviews: Vec<Review> = Vec::new();
    for _ in 0..count {
        let user_id = Id::from_index(MERCHANTS + random.index(USERS - MERCHANTS));
        let review = review(&mut random, Id::from_index(index), user_id, liked);
        if reviews.iter().all(|other| other.user_id != user_id) {
            reviews.push(review);
        }
    }
    reviews
}

fn review(random: &mut Random, product_id: Id, user_id: Id, liked: bool) -> Review {
    let stars = match (liked, random.below(100)) {
        (true, 0..55) | (false, 0..15) => 5,
        (true, 55..85) | (false, 15..35) => 4,
        (true, 85..95) | (false, 35..65) => 3,
        (true, 95..98) | (false, 65..85) => 2,
        _ => 1,
    };
    let opinion = OPINIONS.get(stars - 1).unwrap_or(&OPINIONS[0]);
    let title = random.pick(&opinion.titles);
    let body = format!(
        "{} {}",
        random.pick(&opinion.sentences),
        random.pick(&REMARKS)
    );
    Review {
        id: Id::from_index(0),
        product_id,
        user_id,
        rating: u8::try_from(stars).unwrap_or(1),
        title: title.to_owned(),
        body,
        created_at: Timestamp(random.between(FIRST_ORDER + 7 * DAY, HANDOVER)),
    }
}

/// Maximum number of reviews of one product.
const MAX_REVIEWS: u64 = 12;
