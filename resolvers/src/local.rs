//! Services in this process: resolvers written in Rust, asked without HTTP.
//!
//! The only module that names the library they are written with.

use std::fmt;
use std::sync::Arc;

use async_graphql::{Executor, Variables};
use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use http::HeaderMap;

/// Something in this process that answers GraphQL requests.
pub trait LocalService: fmt::Debug + Send + Sync {
    /// Answers with JSON, as a service behind HTTP does: `{"data": …, "errors": […]}`.
    fn call(&self, request: LocalRequest) -> BoxFuture<'_, Bytes>;
}

/// What such a service is asked.
#[derive(Clone, Debug)]
pub struct LocalRequest {
    /// The same text for the same plan.
    pub query: Arc<str>,
    /// Which operation of it, where it has a name.
    pub operation_name: Option<Arc<str>>,
    /// A JSON object.
    pub variables: Bytes,
    /// Those that the service would be sent over HTTP.
    pub headers: HeaderMap,
}

/// An async-graphql schema, or any other executor of that library, as a service.
///
/// Its resolvers find the request's `http::HeaderMap` in their context.
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
            // What cannot be written is no answer, and that is what the caller says of it.
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
