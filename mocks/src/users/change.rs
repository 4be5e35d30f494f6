//! Bodies of requests that open or change an account, and their checks.

use serde::Deserialize;

use crate::http::{Object, Patch, Problem};
use crate::model::{Address, Kind, User};

/// The body of `POST /users`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewUser {
    #[serde(default)]
    kind: Kind,
    name: String,
    email: String,
    address: Object<Address>,
    merchant: Option<Object<NewMerchant>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewMerchant {
    display_name: String,
}

/// The checked values of a new account.
#[derive(Debug)]
pub(super) struct CheckedUser {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) address: Address,
    /// Present exactly when `kind` is `merchant`.
    pub(super) display_name: Option<String>,
}

/// The body of `PATCH /users/{id}`; absent members are unchanged.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct UserChange {
    name: Patch<String>,
    pub(super) email: Patch<String>,
    address: Patch<Object<AddressChange>>,
    pub(super) merchant: Patch<Object<MerchantChange>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct AddressChange {
    street: Patch<String>,
    city: Patch<String>,
    postal_code: Patch<String>,
    country: Patch<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct MerchantChange {
    display_name: Patch<String>,
}

impl NewUser {
    /// Checks the values.
    pub(super) fn checked(self) -> Result<CheckedUser, Problem> {
        check_line("name", &self.name)?;
        check_email(&self.email)?;
        let Object(address) = self.address;
        check_line("address.street", &address.street)?;
        check_line("address.city", &address.city)?;
        check_line("address.postalCode", &address.postal_code)?;
        check_country(&address.country)?;
        let display_name = match (self.kind, self.merchant) {
            (Kind::Customer, None) => None,
            (Kind::Merchant, Some(Object(merchant))) => {
                check_line("merchant.displayName", &merchant.display_name)?;
                Some(merchant.display_name)
            }
            (Kind::Customer, Some(_)) => {
                return Err(Problem::unprocessable("A customer has no `merchant` part."));
            }
            (Kind::Merchant, None) => {
                return Err(Problem::unprocessable(
                    "A merchant needs `merchant.displayName`.",
                ));
            }
        };
        Ok(CheckedUser {
            kind: self.kind,
            name: self.name,
            email: self.email,
            address,
            display_name,
        })
    }
}

impl UserChange {
    /// Checks the values, independent of the account.
    pub(super) fn checked(self) -> Result<Self, Problem> {
        self.name.check_value(|name| check_line("name", name))?;
        self.email.check_value(|text| check_email(text))?;
        if let Some(Object(address)) = &self.address.0 {
            address
                .street
                .check_value(|text| check_line("address.street", text))?;
            address
                .city
                .check_value(|text| check_line("address.city", text))?;
            address
                .postal_code
                .check_value(|text| check_line("address.postalCode", text))?;
            address.country.check_value(|text| check_country(text))?;
        }
        if let Some(Object(merchant)) = &self.merchant.0 {
            let name = &merchant.display_name;
            name.check_value(|text| check_line("merchant.displayName", text))?;
        }
        Ok(self)
    }

    /// Applies the present members; `merchant` is ignored for a customer.
    pub(super) fn apply(self, user: &mut User) {
        self.name.apply_to(&mut user.name);
        self.email.apply_to(&mut user.email);
        if let Some(Object(address)) = self.address.0 {
            address.street.apply_to(&mut user.address.street);
            address.city.apply_to(&mut user.address.city);
            address.postal_code.apply_to(&mut user.address.postal_code);
            address.country.apply_to(&mut user.address.country);
        }
        if let (Some(Object(change)), Some(merchant)) = (self.merchant.0, &mut user.merchant) {
            change.display_name.apply_to(&mut merchant.display_name);
        }
    }
}

/// Checks for one non-blank line of text.
fn check_line(name: &str, text: &str) -> Result<(), Problem> {
    let fits = !text.trim().is_empty() && text.chars().count() <= MAX_LINE;
    if fits && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Problem::unprocessable(format!(
        "`{name}` must be one line of 1 to {MAX_LINE} characters."
    )))
}

/// Checks the form of an e-mail address, not that it exists.
fn check_email(text: &str) -> Result<(), Problem> {
    let plain =
        text.len() <= MAX_LINE && !text.chars().any(|c| c.is_control() || c.is_whitespace());
    match text.split_once('@') {
        Some((local_part, host))
            if plain && !local_part.is_empty() && !host.is_empty() && !host.contains('@') =>
        {
            Ok(())
        }
        _ => Err(Problem::unprocessable(
            "`email` must be an address such as `ada@example.com`.",
        )),
    }
}

fn check_country(text: &str) -> Result<(), Problem> {
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(Problem::unprocessable(
        "`address.country` must be two capital letters, such as `NL`.",
    ))
}

const MAX_LINE: usize = 200;
