//! The orders service: orders with their items, users and statuses.
//!
//! Stock belongs to the products service, which is called over HTTP. Users are only ids here; the
//! service does not check that they exist.

mod book;
mod idempotency;
mod place;
mod products_client;

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::{Method, StatusCode};

use self::book::Book;
use self::idempotency::Keys;
use self::place::ReservationNames;
use self::products_client::ProductsClient;
use crate::http::{
    Call, Direction, HttpResponse, Lifetime, ListBody, OwnerGroups, Page, Problem, Query, Route,
    json_response, parse_ids, read_response, rows_by_ids, take_id,
};
use crate::model::Clock;
use crate::model::OrderStatus;
use crate::seed;
use crate::service::{Api, Tasks};
use crate::settings::{Settings, parse_lifetime};

/// The endpoints of the orders service.
#[derive(Debug)]
pub(crate) struct Orders {
    state: Arc<OrdersState>,
    lifetime: Lifetime,
    missing: Lifetime,
}

/// State shared by calls and their background work.
#[derive(Debug)]
struct OrdersState {
    book: RwLock<Book>,
    keys: Arc<Keys>,
    products_client: ProductsClient,
    reservation_names: ReservationNames,
    tasks: Tasks,
    clock: Clock,
}

/// The endpoints, by their route.
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
    /// A service with the orders of the seed data; `products` is the URL of the products service.
    pub(crate) fn new(products: &str, settings: &Settings, tasks: Tasks) -> io::Result<Self> {
        let orders = seed::orders(&seed::products());
        let state = OrdersState {
            book: RwLock::new(Book::new(orders, settings.max_orders)),
            keys: Arc::default(),
            products_client: ProductsClient::new(products, settings.products_timeout)?,
            reservation_names: ReservationNames::new(),
            tasks,
            clock: settings.clock,
        };
        Ok(Self {
            state: Arc::new(state),
            lifetime: parse_lifetime("orders", &settings.lifetimes.orders)?,
            missing: parse_lifetime("missing entities", &settings.lifetimes.missing)?,
        })
    }

    fn get(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let id = call.id()?;
        let book = self
            .state
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match book.rows().get(id.index()) {
            Some(row) => {
                let lifetime = &self.lifetime;
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
        let body = if let Some(ids) = query.take("ids") {
            query.finish()?;
            let ids = parse_ids(&ids)?;
            let book = self
                .state
                .book
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            rows_by_ids(book.rows(), &ids)
        } else {
            self.page(query)?
        };
        Ok(self.list_response(call, body))
    }

    fn page(&self, mut query: Query<'_>) -> Result<ListBody, Problem> {
        let page = Page::take(&mut query)?;
        let status = query.take_choice("status", &OrderStatus::ALL, OrderStatus::name)?;
        let user = take_id(&mut query, "userId")?;
        let merchant = take_id(&mut query, "merchantId")?;
        query.finish()?;
        let book = self
            .state
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(match book.matching(status, user, merchant) {
            None => page.write_all(book.rows(), Direction::NewestFirst),
            Some(ids) => page.write_matching(book.rows(), &ids, Direction::NewestFirst),
        })
    }

    fn by_user(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        let mut query = call.query()?;
        let groups = OwnerGroups::take(&mut query, "userIds")?;
        query.finish()?;
        let book = self
            .state
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let newest_first = |id| book.orders_of_user(id).iter().rev();
        let body = groups.write("userId", "orders", book.rows(), newest_first);
        Ok(self.list_response(call, body))
    }

    fn by_merchant(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        let mut query = call.query()?;
        let groups = OwnerGroups::take(&mut query, "merchantIds")?;
        query.finish()?;
        let book = self
            .state
            .book
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let newest_first = |id| book.orders_of_merchant(id).iter().rev();
        let body = groups.write("merchantId", "orders", book.rows(), newest_first);
        Ok(self.list_response(call, body))
    }

    fn list_response(&self, call: &Call<'_>, body: ListBody) -> HttpResponse {
        let (json, hash) = body.into_parts();
        read_response(call.parts, &self.lifetime, json, hash)
    }

    /// Cancels an order, even if the client disconnects meanwhile: the order and its reservation
    /// must stay consistent.
    async fn cancel(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let id = call.id()?;
        let state = Arc::clone(&self.state);
        let cancelled = self
            .state
            .tasks
            .run_to_end(async move { state.cancel(id).await });
        let row = cancelled.await.unwrap_or_else(|| Err(stopping_problem()))?;
        row.map(json_response).ok_or_else(|| call.not_found())
    }

    fn advance(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let now = self.state.clock.now();
        let mut book = self
            .state
            .book
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let row = book.advance(call.id()?, now)?;
        row.map(json_response).ok_or_else(|| call.not_found())
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

    async fn respond(&self, endpoint: Endpoint, call: Call<'_>) -> Result<HttpResponse, Problem> {
        match endpoint {
            Endpoint::Get => self.get(&call),
            Endpoint::List => self.list(&call),
            Endpoint::ByUser => self.by_user(&call),
            Endpoint::ByMerchant => self.by_merchant(&call),
            Endpoint::Place => place::place(&self.state, call).await,
            Endpoint::Cancel => self.cancel(&call).await,
            Endpoint::Advance => self.advance(&call),
        }
    }
}

/// 503: the service stops before the work is done.
fn stopping_problem() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The service is stopping.")
}
