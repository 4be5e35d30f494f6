//! The users service: who buys and who sells.
//!
//! It knows nothing of products and orders.

mod change;
mod directory;

use std::sync::{PoisonError, RwLock};

use hyper::Method;

use self::change::{NewUser, UserChange};
use self::directory::Directory;
use crate::http::{
    Answer, Call, Direction, Page, Problem, Route, asked_ids, created, list_of, read, written,
};
use crate::model::Clock;
use crate::model::Kind;
use crate::seed;
use crate::service::Api;

/// The accounts and what can be done with them.
#[derive(Debug)]
pub(crate) struct Users {
    directory: RwLock<Directory>,
    clock: Clock,
}

/// What the service does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Endpoint {
    Get,
    List,
    Create,
    Change,
}

impl Users {
    /// The accounts of the opening day.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            directory: RwLock::new(Directory::new(seed::users())),
            clock,
        }
    }

    fn get(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        call.no_query()?;
        let id = call.id()?;
        let directory = self
            .directory
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match directory.rows().get(id.index()) {
            Some(row) => Ok(read(call.parts, LIFETIME, row.json().clone(), row.hash())),
            None => Err(call.nothing()),
        }
    }

    fn list(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let mut query = call.query()?;
        let body = if let Some(ids) = query.take("ids") {
            query.finish()?;
            let ids = asked_ids(&ids)?;
            let directory = self
                .directory
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            list_of(directory.rows(), &ids)
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
            match kind {
                None => page.of_all(directory.rows(), Direction::OldestFirst),
                Some(kind) => page.of_matching(
                    directory.rows(),
                    directory.of_kind(kind),
                    Direction::OldestFirst,
                ),
            }
        };
        let (json, hash) = body.into_parts();
        Ok(read(call.parts, LIFETIME, json, hash))
    }

    async fn create(&self, call: Call<'_>) -> Result<Answer, Problem> {
        call.no_query()?;
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

    async fn change(&self, call: Call<'_>) -> Result<Answer, Problem> {
        call.no_query()?;
        let id = call.id()?;
        let nothing = call.nothing();
        let change = call.json::<UserChange>().await?.checked()?;
        let mut directory = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        match directory.change(id, change)? {
            Some(row) => Ok(written(row.json().clone())),
            None => Err(nothing),
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

    async fn answer(&self, endpoint: Endpoint, call: Call<'_>) -> Result<Answer, Problem> {
        match endpoint {
            Endpoint::Get => self.get(&call),
            Endpoint::List => self.list(&call),
            Endpoint::Create => self.create(call).await,
            Endpoint::Change => self.change(call).await,
        }
    }
}

/// People move and rename themselves seldom; what they see of each other may be a minute old.
const LIFETIME: &str = "private, max-age=60";
