//! Local subgraphs: resolvers written in Rust that run in this process, without HTTP.
//!
//! The only module that depends on `async-graphql`.

use std::fmt;
use std::sync::Arc;

use async_graphql::{Executor, Variables};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::HeaderMap;

/// A subgraph in this process.
pub trait LocalService: fmt::Debug + Send + Sync {
    /// Executes a request and returns the JSON of a GraphQL response: `{"data": …, "errors": […]}`.
    fn call(&self, request: LocalRequest) -> BoxFuture<'_, Bytes>;
}

/// A request to a local subgraph.
#[derive(Clone, Debug)]
pub struct LocalRequest {
    /// The document; requests of one plan share its text.
    pub query: Arc<str>,
    /// The operation's name, if it has one.
    pub operation_name: Option<Arc<str>>,
    /// The variables, as a JSON object.
    pub variables: Bytes,
    /// The headers that a subgraph would get over HTTP.
    pub headers: HeaderMap,
}

/// An async-graphql schema, or any other executor of that library, as a local subgraph.
///
/// Resolvers find the request's `http::HeaderMap` in their context.
pub struct AsyncGraphqlService<E>(pub E);

impl<E: Executor> LocalService for AsyncGraphqlService<E> {
    fn call(&self, request: LocalRequest) -> BoxFuture<'_, Bytes> {
        async move {
            let variables: Variables =
                serde_json::from_slice(&request.variables).unwrap_or_default();
            let mut graphql_request = async_graphql::Request::new(&*request.query)
                .variables(variables)
                .data(request.headers);
            if let Some(name) = request.operation_name {
                graphql_request = graphql_request.operation_name(&*name);
            }
            let response = self.0.execute(graphql_request).await;
            // The caller reports an empty body as invalid JSON.
            serde_json::to_vec(&response).unwrap_or_default().into()
        }
        .boxed()
    }
}

impl<E> fmt::Debug for AsyncGraphqlService<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rust")
    }
}
