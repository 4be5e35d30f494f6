//! The seed data is consistent and does not change.

use std::collections::HashSet;

use super::*;
use crate::model::{Id, Kind, OrderStatus};
use crate::store::{fingerprint, render};

#[test]
fn the_seed_data_does_not_change() {
    let first = (
        render(&users()),
        render(&products()),
        render(&orders(&products())),
        render(&reviews()),
    );
    let second = (
        render(&users()),
        render(&products()),
        render(&orders(&products())),
        render(&reviews()),
    );
    assert!(first == second);
    // A change of these fingerprints changes the responses to saved queries; do it on purpose.
    let fingerprints = [&first.0, &first.1, &first.2, &first.3].map(|json| fingerprint(json));
    assert_eq!(fingerprints, FINGERPRINTS, "{fingerprints:#x?}");
}

#[test]
fn the_numbers_of_entities_match_the_constants() {
    let users = users();
    let merchants = users.iter().filter(|user| user.kind == Kind::Merchant);
    assert_eq!((users.len(), merchants.count()), (USERS, MERCHANTS));
    assert!(
        users
            .iter()
            .all(|user| user.merchant.is_some() == (user.kind == Kind::Merchant))
    );
    let emails: HashSet<_> = users.iter().map(|user| &user.email).collect();
    assert_eq!(emails.len(), USERS);
    assert_eq!(products().len(), PRODUCTS);
    assert_eq!(orders(&products()).len(), ORDERS);
}

#[test]
fn orders_are_consistent_with_products_and_in_the_order_of_time() {
    let products = products();
    let orders = orders(&products);
    for order in &orders {
        let mut total = 0;
        for item in &order.items {
            let product = &products[item.product_id.index()];
            assert_eq!(item.unit_price, product.price);
            assert!(order.merchant_ids.contains(&product.merchant_id));
            total += item.unit_price.amount * u64::from(item.quantity);
        }
        assert_eq!(order.total.amount, total);
        assert!((1..=4).contains(&order.items.len()));
        assert!(order.placed_at <= order.updated_at && order.updated_at.0 <= HANDOVER);
        assert!((MERCHANTS..USERS).contains(&order.user_id.index()));
    }
    assert!(orders.is_sorted_by_key(|order| order.placed_at));
    for status in OrderStatus::ALL {
        let count = orders.iter().filter(|order| order.status == status).count();
        assert!(count >= 5, "{status:?}: {count}");
    }
}

#[test]
fn every_merchant_and_every_category_has_products() {
    let products = products();
    let merchants: HashSet<_> = products.iter().map(|product| product.merchant_id).collect();
    assert_eq!(merchants.len(), MERCHANTS);
    for category in crate::model::Category::ALL {
        let count = products
            .iter()
            .filter(|product| product.category == category)
            .count();
        assert!(count > 50, "{category:?}: {count}");
    }
    assert!(products.iter().any(|product| product.stock == 0));
}

#[test]
fn reviews_are_unique_by_customer_and_product_and_in_the_order_of_time() {
    let reviews = reviews();
    assert!((3_500..4_500).contains(&reviews.len()), "{}", reviews.len());
    let mut pairs = HashSet::new();
    let mut by_product = [0_u32; PRODUCTS];
    for (index, review) in reviews.iter().enumerate() {
        assert_eq!(review.id, Id::from_index(index));
        assert!(pairs.insert((review.product_id, review.user_id)));
        assert!((MERCHANTS..USERS).contains(&review.user_id.index()));
        assert!((1..=5).contains(&review.rating));
        by_product[review.product_id.index()] += 1;
    }
    assert!(reviews.is_sorted_by_key(|review| review.created_at));
    assert!(reviews.iter().all(|review| review.created_at.0 < HANDOVER));
    assert_eq!(by_product.iter().max(), Some(&12));
    assert!(by_product.contains(&0));
    for rating in 1..=5 {
        let rated = reviews.iter().filter(|review| review.rating == rating);
        assert!(rated.count() > 100, "{rating}");
    }
}

const FINGERPRINTS: [u64; 4] = [
    0xd3af_90f7_326a_1026,
    0xbb98_f6f5_ca22_7d4d,
    0x171c_f22d_251e_093f,
    0x3b10_0060_cbcb_23ce,
];
