//! The users service: accounts of customers and merchants.
//!
//! It has no products and orders.

mod change;
mod directory;

use std::io;
use std::sync::{PoisonError, RwLock};

use hyper::Method;

use self::change::{NewUser, UserChange};
use self::directory::Directory;
use crate::http::{
    Call, Direction, HttpResponse, Lifetime, Page, Problem, Route, created, json_response,
    parse_ids, read_response, rows_by_ids,
};
use crate::model::{Clock, Id, Kind};
use crate::seed;
use crate::service::Api;
use crate::settings::{Settings, parse_lifetime};

/// The endpoints of the users service.
#[derive(Debug)]
pub(crate) struct Users {
    directory: RwLock<Directory>,
    clock: Clock,
    public: Lifetime,
    private: Lifetime,
    missing: Lifetime,
}

/// The endpoints, by their route.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Endpoint {
    Get,
    List,
    Create,
    Change,
}

impl Users {
    /// A service with the accounts of the seed data.
    pub(crate) fn new(settings: &Settings) -> io::Result<Self> {
        let lifetimes = &settings.lifetimes;
        Ok(Self {
            directory: RwLock::new(Directory::new(seed::users())),
            clock: settings.clock,
            public: parse_lifetime("merchants", &lifetimes.merchants)?,
            private: parse_lifetime("users", &lifetimes.users)?,
            missing: parse_lifetime("missing entities", &lifetimes.missing)?,
        })
    }

    fn get(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let id = call.id()?;
        let directory = self
            .directory
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match directory.rows().get(id.index()) {
            Some(row) => {
                let lifetime = self.lifetime(&directory, &[id]);
                Ok(read_response(
                    call.parts,
                    lifetime,
                    row.json().clone(),
                    row.hash(),
                ))
            }
            None => Err(call.not_found().with_lifetime(&self.missing)),
        }
    }

    fn list(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        let mut query = call.query()?;
        let (body, lifetime) = if let Some(ids) = query.take("ids") {
            query.finish()?;
            let ids = parse_ids(&ids)?;
            let directory = self
                .directory
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let lifetime = self.lifetime(&directory, &ids);
            (rows_by_ids(directory.rows(), &ids), lifetime)
        } else {
            let page = Page::take(&mut query)?;
            let kind =
                query.take_choice(
                    "kind",
                    &[Kind::Customer, Kind::Merchant],
                    |kind| match kind {
                        Kind::Customer => "customer",
                        Kind::Merchant => "merchant",
                    },
                )?;
            query.finish()?;
            let directory = self
                .directory
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            let body = match kind {
                None => page.write_all(directory.rows(), Direction::OldestFirst),
                Some(kind) => page.write_matching(
                    directory.rows(),
                    directory.ids_of_kind(kind),
                    Direction::OldestFirst,
                ),
            };
            (body, &self.private)
        };
        let (json, hash) = body.into_parts();
        Ok(read_response(call.parts, lifetime, json, hash))
    }

    /// The lifetime of a response with `ids`: private with a customer, short with a missing account,
    /// else public and long.
    fn lifetime(&self, directory: &Directory, ids: &[Id]) -> &Lifetime {
        let rows = directory.rows();
        let existing = ids.iter().filter_map(|id| rows.get(id.index()));
        if existing
            .clone()
            .any(|row| row.value().kind == Kind::Customer)
        {
            &self.private
        } else if existing.count() < ids.len() {
            &self.missing
        } else {
            &self.public
        }
    }

    async fn create(&self, call: Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let new = call.json::<NewUser>().await?.checked()?;
        let now = self.clock.now();
        let mut directory = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let row = directory.add(new, now)?;
        let location = format!("/users/{}", row.value().id);
        Ok(created(row.json().clone(), &location))
    }

    async fn change(&self, call: Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let id = call.id()?;
        let not_found = call.not_found();
        let change = call.json::<UserChange>().await?.checked()?;
        let mut directory = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match directory.change(id, change)? {
            Some(row) => Ok(json_response(row.json().clone())),
            None => Err(not_found),
        }
    }
}

impl Api for Users {
    type Endpoint = Endpoint;

    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::new(Method::GET, "/users", Endpoint::List),
        Route::new(Method::POST, "/users", Endpoint::Create),
        Route::new(Method::GET, "/users/{id}", Endpoint::Get),
        Route::new(Method::PATCH, "/users/{id}", Endpoint::Change),
    ];
    const OPENAPI: &'static str = include_str!("../openapi/users.yaml");

    fn name(&self) -> &'static str {
        "users"
    }

    async fn respond(&self, endpoint: Endpoint, call: Call<'_>) -> Result<HttpResponse, Problem> {
        match endpoint {
            Endpoint::Get => self.get(&call),
            Endpoint::List => self.list(&call),
            Endpoint::Create => self.create(call).await,
            Endpoint::Change => self.change(call).await,
        }
    }
}
