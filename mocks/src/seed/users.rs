//! The accounts of the seed data.

use std::collections::HashSet;

use super::people::{CITIES, City, FIRST_NAMES, LAST_NAMES};
use super::random::Random;
use super::range::RANGES;
use super::{DAY, FIRST_ORDER, MERCHANTS, OPENING, SECOND_YEAR, USERS};
use crate::model::Timestamp;
use crate::model::{Address, Id, Kind, Merchant, User};

/// All accounts, in the order of their ids: merchants, then customers. E-mail addresses are unique.
pub(crate) fn users() -> Vec<User> {
    let mut emails = HashSet::new();
    (0..USERS).map(|index| user(index, &mut emails)).collect()
}

fn user(index: usize, emails: &mut HashSet<String>) -> User {
    let mut random = Random::new(1, index);
    let id = Id::from_index(index);
    let (first, first_ascii) = random.pick(&FIRST_NAMES);
    let (last, last_ascii) = random.pick(&LAST_NAMES);
    let mut email = format!("{first_ascii}.{last_ascii}@example.com");
    if !emails.insert(email.clone()) {
        email = format!("{first_ascii}.{last_ascii}{id}@example.com");
        emails.insert(email.clone());
    }
    let is_merchant = index < MERCHANTS;
    let until = if is_merchant {
        SECOND_YEAR
    } else {
        FIRST_ORDER
    };
    let created_at = Timestamp(random.between(OPENING, until));
    let city = random.pick(&CITIES);
    User {
        id,
        kind: if is_merchant {
            Kind::Merchant
        } else {
            Kind::Customer
        },
        name: format!("{first} {last}"),
        email,
        created_at,
        address: address(&mut random, city),
        merchant: is_merchant.then(|| merchant(&mut random, index, last, created_at)),
    }
}

fn merchant(random: &mut Random, index: usize, last: &str, joined: Timestamp) -> Merchant {
    let trade = RANGES
        .get(index % RANGES.len())
        .map_or("Handel", |range| range.name_suffix);
    let display_name = match random.below(4) {
        0 => format!("{last} {trade}"),
        1 => format!("{trade} {last}"),
        2 => format!("{last} & Co. {trade}"),
        _ => format!("Haus {last} {trade}"),
    };
    Merchant {
        display_name,
        rating: u8::try_from(random.between(31, 51)).unwrap_or(50),
        since: Timestamp(joined.0 + random.below(30) * DAY).date(),
    }
}

fn address(random: &mut Random, city: City) -> Address {
    let number = random.between(1, 140).to_string();
    let postal_code = city.postal_code.chars().map(|character| match character {
        '#' => char::from(b'0' + u8::try_from(random.below(10)).unwrap_or(0)),
        other => other,
    });
    Address {
        postal_code: postal_code.collect(),
        street: random.pick(&city.streets).replace("{}", &number),
        city: city.name.to_owned(),
        country: city.country.to_owned(),
    }
}
