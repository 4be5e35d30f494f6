//! A gateway with its own resolvers: customs duty for parcels of a REST service.
//!
//! Run it with `cargo run -p weir --example resolvers`; `docs/library.md` explains it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example for the terminal"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, ID, Json, Object, Result,
    SDLExportOptions, Schema, SimpleObject,
};
use gateway::launch::{Builder, Gateway};
use gateway::local::AsyncGraphqlService;
use gateway::project::Project;
use gateway::tasks::Tasks;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// Entry points: an entity resolver, because another subgraph lists the parcels.
struct Query;

#[Object]
impl Query {
    /// A parcel by its key, with the fields that `duty` requires if the operation selects it.
    #[graphql(entity)]
    async fn parcel(
        &self,
        #[graphql(key)] id: ID,
        to: Option<String>,
        goods: Option<Json<Vec<Goods>>>,
    ) -> Parcel {
        Parcel {
            id,
            to: to.unwrap_or_default(),
            goods: goods.map(|goods| goods.0).unwrap_or_default(),
        }
    }
}

/// A parcel, as customs see it.
#[derive(SimpleObject)]
#[graphql(complex)]
struct Parcel {
    id: ID,
    #[graphql(external)]
    to: String,
    #[graphql(external)]
    goods: Vec<Goods>,
}

/// Goods of one kind in a parcel.
#[derive(SimpleObject, Serialize, Deserialize)]
struct Goods {
    #[graphql(external)]
    value: i32,
    #[graphql(external)]
    origin: String,
}

#[ComplexObject]
impl Parcel {
    /// Customs duty in cents; null if the rate is unknown.
    #[graphql(requires = "to goods { value origin }")]
    async fn duty(&self, ctx: &Context<'_>) -> Result<Option<i64>> {
        let rates = ctx.data::<DataLoader<Rates>>()?;
        let Some(percent) = rates.load_one(self.to.clone()).await? else {
            return Ok(None);
        };
        let foreign = self.goods.iter().filter(|goods| goods.origin != self.to);
        let value: i64 = foreign.map(|goods| i64::from(goods.value)).sum();
        Ok(Some(value * percent / 100))
    }
}

/// Loads the rates for all countries of a request at once.
struct Rates;

impl Loader<String> for Rates {
    type Value = i64;
    type Error = Infallible;

    async fn load(&self, countries: &[String]) -> Result<HashMap<String, i64>, Infallible> {
        let known = countries.iter().filter(|country| *country == "CH");
        Ok(known.map(|country| (country.clone(), 8)).collect())
    }
}

/// The subgraph `customs`.
fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    let tasks = Tasks::default();
    let rates = DataLoader::new(Rates, move |load| tasks.spawn("rates", load));
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(rates)
        .finish()
}

/// A gateway for the project, with the resolvers mounted as the subgraph `customs`.
pub(crate) fn with_resolvers(project: &Project) -> Builder<'_> {
    Gateway::builder(&project.config, Arc::clone(&project.graph))
        .mount("customs", AsyncGraphqlService(schema()))
}

/// The SDL exported from the resolvers: `examples/resolvers/customs.graphql`.
pub(crate) fn sdl() -> String {
    let options = SDLExportOptions::new().federation().use_space_ident();
    schema().sdl_with_options(options)
}

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("sdl") {
        print!("{}", sdl());
        return ExitCode::SUCCESS;
    }
    let (project, diagnostics) = Project::read(Path::new("examples/resolvers/weir.yaml"));
    for diagnostic in diagnostics {
        eprintln!("{}\n", diagnostic.render());
    }
    let Some(project) = project else {
        return ExitCode::FAILURE;
    };
    gateway::telemetry::start(project.config.log);
    let stop = CancellationToken::new();
    let gateway = match with_resolvers(&project).bind(stop.clone()).await {
        Ok(gateway) => gateway,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    eprintln!("http://{}/graphql", gateway.address());
    let stopping = async {
        let _ = tokio::signal::ctrl_c().await;
        stop.cancel();
    };
    let (result, ()) = tokio::join!(gateway.run(), stopping);
    result.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}
