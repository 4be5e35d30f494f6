//! The orders service: what was bought, by whom, and how far it has come.
//!
//! Pieces belong to the products service, which is asked over HTTP. Users are names only: whether
//! one exists is not asked here.

mod book;
mod idempotency;
mod place;
mod warehouse;

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::{Method, StatusCode};

use self::book::Book;
use self::idempotency::Keys;
use self::place::Placing;
use self::warehouse::Warehouse;
use crate::http::{
    Answer, Call, Direction, Groups, Lifetime, ListBody, Page, Problem, Query, Route, asked_ids,
    list_of, optional_id, read, written,
};
use crate::model::Clock;
use crate::model::Status;
use crate::seed;
use crate::service::{Api, Tasks};
use crate::settings::{Settings, lifetime};

/// The orders and what can be done with them.
#[derive(Debug)]
pub(crate) struct Orders {
    desk: Arc<Desk>,
    lifetime: Lifetime,
    missing: Lifetime,
}

/// What calls and the work they leave behind share.
#[derive(Debug)]
struct Desk {
    book: RwLock<Book>,
    keys: Arc<Keys>,
    warehouse: Warehouse,
    placing: Placing,
    tasks: Tasks,
    clock: Clock,
}

/// What the service does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Endpoint {
    Get,
    List,
    ByUser,
    ByMerchant,
    Place,
    Cancel,
    Advance,
}

impl Orders {
    /// The orders of the opening day; pieces are kept at `products`, a URL without a slash at the
    /// end.
    pub(crate) fn new(products: &str, settings: &Settings, tasks: Tasks) -> io::Result<Self> {
        let orders = seed::orders(&seed::products());
        let desk = Desk {
            book: RwLock::new(Book::new(orders, settings.max_orders)),
            keys: Arc::default(),
            warehouse: Warehouse::new(products, settings.products_timeout)?,
            placing: Placing::new(),
            tasks,
            clock: settings.clock,
        };
        Ok(Self {
            desk: Arc::new(desk),
            lifetime: lifetime("orders", &settings.lifetimes.orders)?,
            missing: lifetime("what is missing", &settings.lifetimes.missing)?,
        })
    }

    fn get(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        call.no_query()?;
        let id = call.id()?;
        let book = self
            .desk
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match book.rows().get(id.index()) {
            Some(row) => {
                let lifetime = &self.lifetime;
                Ok(read(call.parts, lifetime, row.json().clone(), row.hash()))
            }
            None => Err(call.nothing().lasting(&self.missing)),
        }
    }

    fn list(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let mut query = call.query()?;
        let body = if let Some(ids) = query.take("ids") {
            query.finish()?;
            let ids = asked_ids(&ids)?;
            let book = self
                .desk
                .book
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            list_of(book.rows(), &ids)
        } else {
            self.page(query)?
        };
        Ok(self.list_answer(call, body))
    }

    fn page(&self, mut query: Query<'_>) -> Result<ListBody, Problem> {
        let page = Page::take(&mut query)?;
        let status = query.take_choice("status", &Status::ALL, Status::name)?;
        let user = optional_id(&mut query, "userId")?;
        let merchant = optional_id(&mut query, "merchantId")?;
        query.finish()?;
        let book = self
            .desk
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(match book.matching(status, user, merchant) {
            None => page.of_all(book.rows(), Direction::NewestFirst),
            Some(ids) => page.of_matching(book.rows(), &ids, Direction::NewestFirst),
        })
    }

    fn by_user(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let mut query = call.query()?;
        let groups = Groups::take(&mut query, "userIds")?;
        query.finish()?;
        let book = self
            .desk
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let newest_first = |id| book.of_user(id).iter().rev();
        let body = groups.write(("userId", "orders"), book.rows(), newest_first);
        Ok(self.list_answer(call, body))
    }

    fn by_merchant(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        let mut query = call.query()?;
        let groups = Groups::take(&mut query, "merchantIds")?;
        query.finish()?;
        let book = self
            .desk
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let newest_first = |id| book.of_merchant(id).iter().rev();
        let body = groups.write(("merchantId", "orders"), book.rows(), newest_first);
        Ok(self.list_answer(call, body))
    }

    fn list_answer(&self, call: &Call<'_>, body: ListBody) -> Answer {
        let (json, hash) = body.into_parts();
        read(call.parts, &self.lifetime, json, hash)
    }

    /// Goes on to the end even if the client goes away: pieces must not get lost on the way.
    async fn cancel(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        call.no_query()?;
        let id = call.id()?;
        let desk = Arc::clone(&self.desk);
        let cancelled = self.desk.tasks.finish(async move { desk.cancel(id).await });
        let row = cancelled.await.unwrap_or_else(|| Err(stopping()))?;
        row.map(written).ok_or_else(|| call.nothing())
    }

    fn advance(&self, call: &Call<'_>) -> Result<Answer, Problem> {
        call.no_query()?;
        let now = self.desk.clock.now();
        let mut book = self
            .desk
            .book
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let row = book.advance(call.id()?, now)?;
        row.map(written).ok_or_else(|| call.nothing())
    }
}

impl Api for Orders {
    type Endpoint = Endpoint;

    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::new(Method::GET, "/orders", Endpoint::List),
        Route::new(Method::POST, "/orders", Endpoint::Place),
        Route::new(Method::GET, "/orders/by-user", Endpoint::ByUser),
        Route::new(Method::GET, "/orders/by-merchant", Endpoint::ByMerchant),
        Route::new(Method::GET, "/orders/{id}", Endpoint::Get),
        Route::new(Method::POST, "/orders/{id}/cancel", Endpoint::Cancel),
        Route::new(Method::POST, "/orders/{id}/advance", Endpoint::Advance),
    ];
    const OPENAPI: &'static str = include_str!("../openapi/orders.yaml");

    fn name(&self) -> &'static str {
        "orders"
    }

    async fn answer(&self, endpoint: Endpoint, call: Call<'_>) -> Result<Answer, Problem> {
        match endpoint {
            Endpoint::Get => self.get(&call),
            Endpoint::List => self.list(&call),
            Endpoint::ByUser => self.by_user(&call),
            Endpoint::ByMerchant => self.by_merchant(&call),
            Endpoint::Place => place::place(&self.desk, call).await,
            Endpoint::Cancel => self.cancel(&call).await,
            Endpoint::Advance => self.advance(&call),
        }
    }
}

/// The service stops while the work is under way.
fn stopping() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The service is stopping.")
}
