//! The data loaders, which combine concurrent lookups into one call.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::model::{Product, User};
use super::upstream::{Upstream, UpstreamError};

/// Loads users by id.
#[derive(Debug)]
pub(super) struct Users(Arc<Upstream>);

/// Loads products by id.
#[derive(Debug)]
pub(super) struct Products(Arc<Upstream>);

/// A loader of users, for the data of the schema.
pub(super) fn users(upstream: Arc<Upstream>) -> DataLoader<Users> {
    DataLoader::new(Users(upstream), spawn).delay(BATCH_DELAY)
}

/// A loader of products, for the data of the schema.
pub(super) fn products(upstream: Arc<Upstream>) -> DataLoader<Products> {
    DataLoader::new(Products(upstream), spawn).delay(BATCH_DELAY)
}

/// Spawns a batch, so that it continues for other requests if the first one is dropped.
fn spawn<T: Send + 'static>(batch: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    Handle::current().spawn(batch)
}

impl Loader<String> for Users {
    type Value = Arc<User>;
    type Error = Arc<UpstreamError>;

    async fn load(&self, ids: &[String]) -> Result<HashMap<String, Arc<User>>, Self::Error> {
        let mut found = HashMap::with_capacity(ids.len());
        // `max_batch_size` of the loader limits when it calls `load`, not the number of ids.
        for ids in ids.chunks(MAX_IDS) {
            let users: Vec<User> = self.0.load_many("users", ids).await?;
            found.extend(
                users
                    .into_iter()
                    .map(|user| (user.id.to_string(), Arc::new(user))),
            );
        }
        Ok(found)
    }
}

impl Loader<String> for Products {
    type Value = Arc<Product>;
    type Error = Arc<UpstreamError>;

    async fn load(&self, ids: &[String]) -> Result<HashMap<String, Arc<Product>>, Self::Error> {
        let mut found = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(MAX_IDS) {
            let products: Vec<Product> = self.0.load_many("products", ids).await?;
            found.extend(
                products
                    .into_iter()
                    .map(|product| (product.id.to_string(), Arc::new(product))),
            );
        }
        Ok(found)
    }
}

/// Maximum number of ids in one call of the services.
const MAX_IDS: usize = 1000;

/// Time that a batch waits for further lookups. Of 0, 0.2, 1 (the default) and 5 milliseconds this
/// takes the least CPU time under load here: the calls of several requests become one.
const BATCH_DELAY: Duration = Duration::from_millis(5);
