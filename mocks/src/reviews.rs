//! The reviews service: reviews of products by customers, as a GraphQL subgraph (federation 2).
//!
//! Products and users are only ids here; the service does not check that they exist.

mod entities;
mod loader;
mod pages;
mod refusal;
mod review_table;
mod roots;

use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::{Data, EmptySubscription, Executor, Request, Response, Schema};
use futures_util::stream::BoxStream;

use self::loader::ReviewLoader;
use self::review_table::{ReviewTable, SharedReviews};
use self::roots::{Mutation, Query, number_representations};
use crate::seed;
use crate::service::Tasks;
use crate::settings::Settings;

/// The subgraph, with its reviews.
#[derive(Clone)]
pub(crate) struct Reviews {
    schema: Schema<Query, Mutation, EmptySubscription>,
}

impl Reviews {
    /// A subgraph with the reviews of the seed data.
    pub(crate) fn new(settings: &Settings, tasks: Tasks) -> Self {
        let table = ReviewTable::new(seed::reviews(), settings.max_reviews);
        let shared = Arc::new(SharedReviews::new(table, settings.clock));
        // A resolver panics if the batch it waits for is cancelled, so batches must complete.
        let loader = DataLoader::new(ReviewLoader::new(Arc::clone(&shared)), move |load| {
            tasks.complete(load);
        });
        let schema = Schema::build(Query::default(), Mutation, EmptySubscription)
            .data(shared)
            .data(loader)
            .limit_complexity(MAX_COMPLEXITY)
            .limit_depth(MAX_DEPTH)
            .finish();
        Self { schema }
    }
}

impl Executor for Reviews {
    async fn execute(&self, mut request: Request) -> Response {
        match number_representations(&mut request.variables) {
            Ok(()) => self.schema.execute(request).await,
            Err(error) => Response::from_errors(vec![error]),
        }
    }

    fn execute_stream(
        &self,
        request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        Executor::execute_stream(&self.schema, request, session_data)
    }
}

/// Maximum complexity of an operation: fields, each times the lengths of the lists around it.
const MAX_COMPLEXITY: usize = 20_000;

/// Maximum depth of an operation; introspection needs thirteen levels.
const MAX_DEPTH: usize = 20;
