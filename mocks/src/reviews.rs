//! The reviews service: what customers say about products; a GraphQL subgraph of federation 2.
//!
//! It knows its reviews and nothing else: every product and every user may have some, whether they
//! exist is not asked here.

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

/// The subgraph and its reviews.
#[derive(Clone)]
pub(crate) struct Reviews {
    schema: Schema<Query, Mutation, EmptySubscription>,
}

impl Reviews {
    /// The reviews of the opening day.
    pub(crate) fn new(settings: &Settings, tasks: Tasks) -> Self {
        let table = ReviewTable::new(seed::reviews(), settings.max_reviews);
        let shared = Arc::new(SharedReviews::new(table, settings.clock));
        // A resolver that waits for a batch that never comes would panic.
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

/// Fields of one entity or root, times the length of the lists that they are in.
const MAX_COMPLEXITY: usize = 20_000;

/// Introspection takes thirteen.
const MAX_DEPTH: usize = 20;
