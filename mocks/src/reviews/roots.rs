//! Root fields, entities by representation, and the mutation.
//!
//! async-graphql fails all entities of a request if one fails, and omits the index from the paths of
//! errors. Here each entity fails separately, with its index in the path.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::dataloader::DataLoader;
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::resolve_container;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, InputObject, Name, Object, ObjectType,
    OutputType, Positioned, Result, ServerError, ServerResult, Value, Variables,
};

use crate::model::Id;
use crate::reviews::entities::{Product, Review, User};
use crate::reviews::loader::{ReviewKey, ReviewLoader};
use crate::reviews::pages::{page_size, worth};
use crate::reviews::refusal::Refusal;
use crate::reviews::review_table::{Draft, SharedReviews};

/// The query root, with errors of entities at their index.
#[derive(Debug, Default)]
pub(super) struct Query(Roots);

/// The root fields and entities.
#[derive(Debug, Default)]
struct Roots;

/// The mutation root.
#[derive(Debug)]
pub(super) struct Mutation;

/// A new review. A customer can review a product once.
#[derive(Debug, InputObject)]
struct AddReviewInput {
    product_id: ID,
    user_id: ID,
    /// From 1, the worst, to 5, the best.
    rating: i32,
    title: String,
    body: String,
}

#[Object(name = "Query")]
impl Roots {
    /// The review with this id, or null.
    async fn review(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Review>> {
        let Some(id) = Id::parse(&id) else {
            return Ok(None);
        };
        let loader = ctx.data::<DataLoader<ReviewLoader>>()?;
        let Ok(review) = loader.load_one(ReviewKey(id)).await;
        Ok(review.map(Review::from))
    }

    /// The newest reviews of all products.
    #[expect(
        clippy::unused_async,
        reason = "a resolver is async, whether it waits or not"
    )]
    #[graphql(complexity = "worth(first, child_complexity)")]
    async fn latest_reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "Some(10)",
            desc = "The maximum number of reviews, up to 100."
        )]
        first: Option<i32>,
    ) -> Result<Vec<Review>> {
        let first = page_size(first)?;
        let newest = ctx.data::<Arc<SharedReviews>>()?.read().newest(first);
        Ok(newest.into_iter().map(Review::from).collect())
    }

    #[graphql(entity)]
    async fn review_entity(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Review>> {
        self.review(ctx, id).await
    }

    #[graphql(entity)]
    async fn product_entity(&self, id: ID) -> Product {
        Product(id)
    }

    #[graphql(entity)]
    async fn user_entity(&self, id: ID) -> User {
        User(id)
    }
}

#[Object]
impl Mutation {
    /// Adds a review. A second one of the same product by the same account fails with `CONFLICT`.
    #[expect(
        clippy::unused_async,
        reason = "a resolver is async, whether it waits or not"
    )]
    async fn add_review(&self, ctx: &Context<'_>, input: AddReviewInput) -> Result<Option<Review>> {
        let draft = input.check()?;
        let row = ctx.data::<Arc<SharedReviews>>()?.add(draft)?;
        Ok(Some(Review::from(row)))
    }
}

impl AddReviewInput {
    fn check(self) -> Result<Draft, Refusal> {
        let rating = u8::try_from(self.rating).ok();
        let rating = rating.filter(|rating| (1..=5).contains(rating));
        Ok(Draft {
            product: parse_id("productId", &self.product_id)?,
            user: parse_id("userId", &self.user_id)?,
            rating: rating.ok_or_else(|| {
                let message = format!("`rating` must be a number from 1 to 5, not {}", self.rating);
                Refusal::unprocessable(message)
            })?,
            title: bounded_text("title", &self.title, MAX_TITLE)?,
            body: bounded_text("body", &self.body, MAX_TEXT)?,
        })
    }
}

impl ContainerType for Query {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        self.0.resolve_field(ctx).await
    }

    async fn find_entity(
        &self,
        ctx: &Context<'_>,
        representation: &Value,
    ) -> ServerResult<Option<Value>> {
        let indexed;
        let ctx = match representation_index(representation) {
            Some(index) => {
                indexed = ctx.with_index(index);
                &indexed
            }
            None => ctx,
        };
        let resolved = match representation_error(representation) {
            Some(refusal) => Err(ctx.set_error_path(refusal.into_server_error())),
            None => self.0.find_entity(ctx, representation).await,
        };
        Ok(Some(match resolved {
            Ok(entity) => entity.unwrap_or_default(),
            Err(error) => {
                ctx.add_error(error);
                Value::Null
            }
        }))
    }
}

impl OutputType for Query {
    fn type_name() -> Cow<'static, str> {
        Roots::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        Roots::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ObjectType for Query {}

/// Adds its index to each representation, because async-graphql does not pass it to resolvers.
///
/// Representations are the only lists among the arguments of this subgraph.
pub(super) fn number_representations(variables: &mut Variables) -> Result<(), ServerError> {
    for variable in variables.values_mut() {
        let Value::List(representations) = variable else {
            continue;
        };
        if representations.len() > MAX_REPRESENTATIONS {
            let message = format!("a list has at most {MAX_REPRESENTATIONS} values");
            return Err(Refusal::unprocessable(message).into_server_error());
        }
        for (index, representation) in representations.iter_mut().enumerate() {
            if let Value::Object(members) = representation {
                members.insert(Name::new(INDEX), Value::from(index));
            }
        }
    }
    Ok(())
}

fn representation_index(representation: &Value) -> Option<usize> {
    let Value::Object(members) = representation else {
        return None;
    };
    let Value::Number(index) = members.get(INDEX)? else {
        return None;
    };
    index.as_u64().and_then(|index| usize::try_from(index).ok())
}

/// The error of an invalid representation.
fn representation_error(representation: &Value) -> Option<Refusal> {
    let Value::Object(members) = representation else {
        return Some(Refusal::unprocessable("a representation must be an object"));
    };
    let message = match (members.get("__typename"), members.get("id")) {
        (Some(Value::String(name)), id) => match (ENTITIES.contains(&name.as_str()), id) {
            (false, _) => format!("`{name}` is not an entity of this subgraph"),
            (true, Some(Value::String(_))) => return None,
            (true, Some(Value::Number(id))) if !id.is_f64() => return None,
            (true, _) => format!("a representation of `{name}` must have an `id`, a string"),
        },
        _ => "a representation must have a `__typename`, a string".to_owned(),
    };
    Some(Refusal::unprocessable(message))
}

/// Parses the id of a product or user; other services know whether it exists.
fn parse_id(name: &str, id: &ID) -> Result<Id, Refusal> {
    Id::parse(id).ok_or_else(|| {
        let message = format!(
            "`{name}` must be a decimal number in a string, not `{}`",
            **id
        );
        Refusal::unprocessable(message)
    })
}

fn bounded_text(name: &str, text: &str, max_chars: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if (1..=max_chars).contains(&length) {
        Ok(text.to_owned())
    } else {
        let message = format!("`{name}` must have 1 to {max_chars} characters, not {length}");
        Err(Refusal::unprocessable(message))
    }
}

const ENTITIES: [&str; 3] = ["Review", "Product", "User"];

/// A member that does not occur in representations sent by gateways.
const INDEX: &str = "__index";

/// Maximum number of representations, about as many as a body has room for.
const MAX_REPRESENTATIONS: usize = 10_000;
const MAX_TITLE: usize = 120;
const MAX_TEXT: usize = 4_000;
