//! The products service: products, their stock, and reservations of pieces.
//!
//! It does not authenticate merchants and has no orders: a reservation is only a name and its
//! pieces.

mod reservation;
mod search;
mod stock;

use std::io;
use std::sync::{PoisonError, RwLock};

use hyper::Method;

use self::reservation::NewReservation;
use self::search::Filter;
use self::stock::{ProductChange, Stock};
use crate::events::EventPublisher;
use crate::http::{
    Call, Direction, HttpResponse, Lifetime, OwnerGroups, Page, Problem, Route, created,
    json_response, no_content, parse_ids, read_response, rows_by_ids,
};
use crate::model::Clock;
use crate::seed;
use crate::service::{Api, Tasks};
use crate::settings::{Settings, parse_lifetime};
use crate::store::render;

/// The endpoints of the products service.
#[derive(Debug)]
pub(crate) struct Products {
    stock: RwLock<Stock>,
    clock: Clock,
    events: EventPublisher,
    lifetime: Lifetime,
    list_lifetime: Lifetime,
    missing: Lifetime,
}

/// The endpoints, by their route.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Endpoint {
    Get,
    List,
    ByMerchant,
    Change,
    Reserve,
    Release,
}

impl Products {
    /// A service with the products of the seed data, and the pieces of open orders reserved.
    pub(crate) fn new(settings: &Settings, tasks: &Tasks) -> io::Result<Self> {
        let products = seed::products();
        let orders = seed::orders(&products);
        let mut stock = Stock::new(products);
        for order in orders.into_iter().filter(|order| order.status.is_open()) {
            let pieces = order
                .items
                .iter()
                .map(|item| (item.product_id, item.quantity));
            stock.record_reservation(order.reservation, pieces.collect());
        }
        let lifetimes = &settings.lifetimes;
        Ok(Self {
            stock: RwLock::new(stock),
            clock: settings.clock,
            events: EventPublisher::start(settings.events.as_ref(), tasks)?,
            lifetime: parse_lifetime("products", &lifetimes.products)?,
            list_lifetime: parse_lifetime("lists of products", &lifetimes.product_lists)?,
            missing: parse_lifetime("missing entities", &lifetimes.missing)?,
        })
    }

    fn get(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let id = call.id()?;
        let stock = self.stock.read().unwrap_or_else(PoisonError::into_inner);
        match stock.rows().get(id.index()) {
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
        let (body, lifetime) = if let Some(ids) = query.take("ids") {
            query.finish()?;
            let ids = parse_ids(&ids)?;
            let stock = self.stock.read().unwrap_or_else(PoisonError::into_inner);
            let all_exist = ids.iter().all(|id| id.index() < stock.rows().len());
            let lifetime = if all_exist {
                &self.lifetime
            } else {
                &self.missing
            };
            (rows_by_ids(stock.rows(), &ids), lifetime)
        } else {
            let page = Page::take(&mut query)?;
            let filter = Filter::take(&mut query)?;
            query.finish()?;
            let stock = self.stock.read().unwrap_or_else(PoisonError::into_inner);
            let body = match filter.matching(&stock) {
                None => page.write_all(stock.rows(), Direction::OldestFirst),
                Some(ids) => page.write_matching(stock.rows(), &ids, Direction::OldestFirst),
            };
            (body, &self.list_lifetime)
        };
        let (json, hash) = body.into_parts();
        Ok(read_response(call.parts, lifetime, json, hash))
    }

    fn by_merchant(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        let mut query = call.query()?;
        let groups = OwnerGroups::take(&mut query, "merchantIds")?;
        query.finish()?;
        let stock = self.stock.read().unwrap_or_else(PoisonError::into_inner);
        let body = groups.write("merchantId", "products", stock.rows(), |id| {
            stock.products_of_merchant(id).iter()
        });
        let (json, hash) = body.into_parts();
        Ok(read_response(call.parts, &self.list_lifetime, json, hash))
    }

    async fn change(&self, call: Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let id = call.id()?;
        let not_found = call.not_found();
        let change = call.json::<ProductChange>().await?.checked()?;
        let now = self.clock.now();
        let mut stock = self.stock.write().unwrap_or_else(PoisonError::into_inner);
        match stock.change(id, change, now)? {
            Some(row) => {
                self.events.publish(PRODUCT_TYPE, id);
                Ok(json_response(row.json().clone()))
            }
            None => Err(not_found),
        }
    }

    async fn reserve(&self, call: Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let new = call.json::<NewReservation>().await?.checked()?;
        let now = self.clock.now();
        let mut stock = self.stock.write().unwrap_or_else(PoisonError::into_inner);
        let reservation = stock.reserve(new, now)?;
        drop(stock);
        for item in &reservation.items {
            self.events.publish(PRODUCT_TYPE, item.product_id);
        }
        let location = format!("/reservations/{}", reservation.id);
        Ok(created(render(&reservation), &location))
    }

    fn release(&self, call: &Call<'_>) -> Result<HttpResponse, Problem> {
        call.reject_query()?;
        let now = self.clock.now();
        let mut stock = self.stock.write().unwrap_or_else(PoisonError::into_inner);
        let returned = stock.release(&call.id_segment(), now);
        drop(stock);
        for id in returned.ok_or_else(|| call.not_found())? {
            self.events.publish(PRODUCT_TYPE, id);
        }
        Ok(no_content())
    }
}

impl Api for Products {
    type Endpoint = Endpoint;

    const ROUTES: &'static [Route<Endpoint>] = &[
        Route::new(Method::GET, "/products", Endpoint::List),
        Route::new(Method::GET, "/products/by-merchant", Endpoint::ByMerchant),
        Route::new(Method::GET, "/products/{id}", Endpoint::Get),
        Route::new(Method::PATCH, "/products/{id}", Endpoint::Change),
        Route::new(Method::POST, "/reservations", Endpoint::Reserve),
        Route::new(Method::DELETE, "/reservations/{id}", Endpoint::Release),
    ];
    const OPENAPI: &'static str = include_str!("../openapi/products.yaml");

    fn name(&self) -> &'static str {
        "products"
    }

    fn metrics(&self) -> String {
        self.events.metrics(self.name())
    }

    async fn respond(&self, endpoint: Endpoint, call: Call<'_>) -> Result<HttpResponse, Problem> {
        match endpoint {
            Endpoint::Get => self.get(&call),
            Endpoint::List => self.list(&call),
            Endpoint::ByMerchant => self.by_merchant(&call),
            Endpoint::Change => self.change(call).await,
            Endpoint::Reserve => self.reserve(call).await,
            Endpoint::Release => self.release(&call),
        }
    }
}

/// The `type` of change events: the name of the type in the graph.
const PRODUCT_TYPE: &str = "Product";
