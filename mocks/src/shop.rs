//! All services together, for demos and tests.

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

/// All services of the shop, each on its own port.
#[derive(Debug)]
pub struct Shop {
    /// Customers and merchants.
    pub users: Service,
    /// Products for sale, and reservations.
    pub products: Service,
    /// Orders.
    pub orders: Service,
    /// Reviews of products.
    pub reviews: Service,
}

impl Shop {
    /// Starts the services on free ports of 127.0.0.1; *orders* calls *products*.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Settings::default()).await
    }

    /// Starts the services with `settings`, on free ports of 127.0.0.1.
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

    /// Stops all services, with their connections.
    pub async fn stop(mut self) {
        self.orders.stop().await;
        self.products.stop().await;
        self.users.stop().await;
        self.reviews.stop().await;
    }
}

impl Service {
    /// Starts the users service on `listener`.
    pub fn users(listener: TcpListener, settings: &Settings) -> io::Result<Self> {
        Self::start(listener, Users::new(settings)?, Tasks::default())
    }

    /// Starts the products service on `listener`.
    pub fn products(listener: TcpListener, settings: &Settings) -> io::Result<Self> {
        let tasks = Tasks::default();
        let products = Products::new(settings, &tasks)?;
        Self::start(listener, products, tasks)
    }

    /// Starts the orders service on `listener`; `products` is the URL of the products service,
    /// which need not run yet.
    pub fn orders(listener: TcpListener, products: &str, settings: &Settings) -> io::Result<Self> {
        let tasks = Tasks::default();
        let orders = Orders::new(products, settings, tasks.clone())?;
        Self::start(listener, orders, tasks)
    }

    /// Starts the reviews service on `listener`.
    pub fn reviews(listener: TcpListener, settings: &Settings) -> io::Result<Self> {
        let tasks = Tasks::default();
        let reviews = Reviews::new(settings, tasks.clone());
        let lifetime = parse_lifetime("reviews", &settings.lifetimes.reviews)?;
        let reviews = GraphQl::new("reviews", reviews).with_lifetime(lifetime);
        Self::start(listener, reviews, tasks)
    }
}
