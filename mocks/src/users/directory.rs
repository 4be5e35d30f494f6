//! All accounts, in memory.

use std::collections::HashSet;

use hyper::StatusCode;

use super::change::{CheckedUser, UserChange};
use crate::http::{Problem, ProblemKind};
use crate::model::Timestamp;
use crate::model::{Id, Kind, Merchant, User};
use crate::store::Row;

/// The accounts by id, with indices by kind and e-mail address.
#[derive(Debug)]
pub(super) struct Directory {
    rows: Vec<Row<User>>,
    customers: Vec<Id>,
    merchants: Vec<Id>,
    /// In lower case, unique.
    emails: HashSet<String>,
}

impl Directory {
    pub(super) fn new(users: Vec<User>) -> Self {
        let mut directory = Self {
            rows: Vec::with_capacity(users.len()),
            customers: Vec::new(),
            merchants: Vec::new(),
            emails: HashSet::new(),
        };
        for user in users {
            directory.push(user);
        }
        directory
    }

    pub(super) fn rows(&self) -> &[Row<User>] {
        &self.rows
    }

    /// The ids of the accounts of one kind, ascending.
    pub(super) fn ids_of_kind(&self, kind: Kind) -> &[Id] {
        match kind {
            Kind::Customer => &self.customers,
            Kind::Merchant => &self.merchants,
        }
    }

    /// Adds an account.
    pub(super) fn add(&mut self, new: CheckedUser, now: Timestamp) -> Result<&Row<User>, Problem> {
        if self.rows.len() >= MAX_USERS {
            return Err(Problem::new(
                StatusCode::INSUFFICIENT_STORAGE,
                format!("The maximum of {MAX_USERS} users is reached."),
            ));
        }
        self.reject_taken_email(&new.email)?;
        let merchant = new.display_name.map(|display_name| Merchant {
            display_name,
            rating: 0,
            since: now.date(),
        });
        let index = self.rows.len();
        self.push(User {
            id: Id::from_index(index),
            kind: new.kind,
            name: new.name,
            email: new.email,
            created_at: now,
            address: new.address,
            merchant,
        });
        self.rows.get(index).ok_or_else(missing_row)
    }

    /// Applies `change` to an account; `None` if it does not exist.
    pub(super) fn change(
        &mut self,
        id: Id,
        change: UserChange,
    ) -> Result<Option<&Row<User>>, Problem> {
        let Some(user) = self.rows.get(id.index()).map(Row::value) else {
            return Ok(None);
        };
        if change.merchant.0.is_some() && user.merchant.is_none() {
            return Err(Problem::unprocessable(
                "Only a merchant has a `merchant` part.",
            ));
        }
        let old_email = user.email.to_lowercase();
        if let Some(email) = &change.email.0 {
            if email.to_lowercase() != old_email {
                self.reject_taken_email(email)?;
            }
            self.emails.remove(&old_email);
            self.emails.insert(email.to_lowercase());
        }
        let row = self.rows.get_mut(id.index());
        Ok(row.map(|row| {
            row.change(|user| change.apply(user));
            &*row
        }))
    }

    fn push(&mut self, user: User) {
        match user.kind {
            Kind::Customer => self.customers.push(user.id),
            Kind::Merchant => self.merchants.push(user.id),
        }
        self.emails.insert(user.email.to_lowercase());
        self.rows.push(Row::new(user));
    }

    fn reject_taken_email(&self, email: &str) -> Result<(), Problem> {
        if self.emails.contains(&email.to_lowercase()) {
            return Err(
                Problem::conflict(format!("Another account has the address `{email}`."))
                    .with_kind(ProblemKind::EmailTaken),
            );
        }
        Ok(())
    }
}

/// Unreachable: the row was added just before.
fn missing_row() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "The new account is missing.",
    )
}

/// Maximum number of accounts: a hundred times the seed data, some 50 MB.
const MAX_USERS: usize = 100_000;
