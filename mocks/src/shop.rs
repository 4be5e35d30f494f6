//! The services together, as a demo or a test wants them.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use crate::graphql::GraphQl;
use crate::orders::Orders;
use crate::products::Products;
use crate::reviews::Reviews;
use crate::service::{Service, Tasks};
use crate::settings::{Settings, parse_lifetime};
use crate::users::Users;

/// A whole shop on ports of its own.
#[derive(Debug)]
pub struct Shop {
    /// Customers and merchants.
    pub users: Service,
    /// What is for sale.
    pub products: Service,
    /// What was bought.
    pub orders: Service,
    /// What customers think of it.
    pub reviews: Service,
}

impl Shop {
    /// Opens the shop on free ports of 127.0.0.1, *orders* wired to *products*.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Settings::default()).await
    }

    /// Opens a shop that is special in some way.
    pub async fn start_with(settings: Settings) -> io::Result<Self> {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let users = Service::users(free().await?, &settings)?;
        let products = Service::products(free().await?, &settings)?;
        let orders = Service::orders(free().await?, products.url(), &settings)?;
        let reviews = Service::reviews(free().await?, &settings)?;
        Ok(Self {
            users,
            products,
            orders,
            reviews,
        })
    }

    /// Closes all of them at once.
    pub async fn stop(mut self) {
        self.orders.stop().await;
        self.products.stop().await;
        self.users.stop().await;
        self.reviews.stop().await;
    }
}

impl Service {
    /// The users service on `listener`.
    pub fn users(listener: TcpListener, settings: &Settings) -> io::Result<Self> {
        Self::start(listener, Users::new(settings)?, Tasks::default())
    }

    /// The products service on `listener`.
    pub fn products(listener: TcpListener, settings: &Settings) -> io::Result<Self> {
        let tasks = Tasks::default();
        let products = Products::new(settings, &tasks)?;
        Self::start(listener, products, tasks)
    }

    /// The orders service on `listener`; `products` is the URL of the products service, which
    /// need not run yet.
    pub fn orders(listener: TcpListener, products: &str, settings: &Settings) -> io::Result<Self> {
        let tasks = Tasks::default();
        let orders = Orders::new(products, settings, tasks.clone())?;
        Self::start(listener, orders, tasks)
    }

    /// The reviews service on `listener`.
    pub fn reviews(listener: TcpListener, settings: &Settings) -> io::Result<Self> {
        let tasks = Tasks::default();
        let reviews = Reviews::new(settings, tasks.clone());
        let lifetime = parse_lifetime("reviews", &settings.lifetimes.reviews)?;
        let reviews = GraphQl::new("reviews", reviews).with_lifetime(lifetime);
        Self::start(listener, reviews, tasks)
    }
}
