//! Services whose every value says for whom, and when, it was computed.

use std::sync::{Arc, Mutex};

use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use resolvers::cache::{Clock, Moment};
use serde_json::{Value, json};

use crate::federation::Scripted;

const PEOPLE: &str = "
    type Query {
      user: User someone: Named first: Thing things(kind: Kind = TOY): [Thing]
      _entities(representations: [_Any!]!): [_Entity]!
    }
    type Mutation { add(id: ID!): Thing wipe: Int }
    enum Kind { TOY BOOK }
    interface Named { note: String favourites: [Thing] best: Thing }
    type User implements Named { id: ID! note: String favourites: [Thing] best: Thing }
    type Robot implements Named { note: String favourites: [Thing] best: Thing }
    type Thing { id: ID! label: String }
    scalar _Any
    union _Entity = User | Thing
";
const STOCK: &str = "
    type Query { _entities(representations: [_Any!]!): [_Entity]! }
    type Thing { id: ID! stock: String }
    scalar _Any
    union _Entity = Thing
";

/// Who asks, and when: what a value says.
#[derive(Clone, Debug)]
pub(crate) struct World {
    clock: Clock,
    caller: Arc<Mutex<&'static str>>,
}

/// What a value says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) caller: String,
    pub(crate) at: Moment,
}

impl Stamp {
    /// Reads `… caller.time`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = text.rsplit('.');
        let at = parts.next().unwrap().parse().unwrap();
        let caller = parts.next().unwrap().to_owned();
        Self {
            caller,
            at: Moment(at),
        }
    }
}

impl World {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            caller: Arc::new(Mutex::new("none")),
        }
    }

    /// Whose requests the services get from now on.
    pub(crate) fn set_caller(&self, caller: &'static str) {
        *self.caller.lock().unwrap() = caller;
    }

    fn stamp(&self) -> String {
        format!("{}.{}", self.caller.lock().unwrap(), self.clock.now().0)
    }

    /// The subgraph `people` or `stock`.
    pub(crate) fn subgraph(&self, name: &str) -> Scripted {
        let sdl = if name == "people" { PEOPLE } else { STOCK };
        let schema = Schema::parse_and_validate(sdl, name).unwrap();
        let world = self.clone();
        Scripted::new(move |query, variables| {
            let document = ExecutableDocument::parse_and_validate(&schema, query, "").unwrap();
            world.execute(&schema, &document, variables)
        })
    }

    fn execute(
        &self,
        schema: &Valid<Schema>,
        document: &Valid<ExecutableDocument>,
        variables: &Value,
    ) -> Value {
        let operation = document.operations.get(None).unwrap();
        let root = Object {
            world: self,
            ty: operation.object_type().as_str(),
            id: String::new(),
        };
        let variables: JsonMap = serde_json::from_value(variables.clone()).unwrap();
        let execution = Execution::new(schema, document).raw_variable_values(&variables);
        serde_json::to_value(execution.execute_sync(&root).unwrap()).unwrap()
    }

    /// The REST service.
    pub(crate) fn rest(&self) -> Router {
        type Parameters = std::collections::BTreeMap<String, String>;
        let posts = async |State(world): State<Self>| {
            let stamp = world.stamp();
            axum::Json(json!([{ "id": format!("post.{stamp}"), "text": stamp }]))
        };
        let things = async |State(world): State<Self>, Query(query): Query<Parameters>| {
            let ids = query.get("ids").map(String::as_str).unwrap_or_default();
            let things = ids
                .split(',')
                .map(|id| json!({ "id": id, "price": format!("{id};{}", world.stamp()) }));
            axum::Json(things.collect::<Value>())
        };
        Router::new()
            .route("/posts", get(posts))
            .route("/things", get(things))
            .with_state(self.clone())
    }
}

struct Object<'w> {
    world: &'w World,
    ty: &'w str,
    id: String,
}

impl<'w> Object<'w> {
    fn entity<'b>(&self, representation: &Value) -> ResolvedValue<'b>
    where
        'w: 'b,
    {
        let text = |name: &str| representation[name].as_str().unwrap_or_default();
        let ty = if text("__typename") == "User" {
            "User"
        } else {
            "Thing"
        };
        self.object(ty, text("id").to_owned())
    }

    fn object<'b>(&self, ty: &'static str, id: String) -> ResolvedValue<'b>
    where
        'w: 'b,
    {
        ResolvedValue::Object(Box::new(Object {
            world: self.world,
            ty,
            id,
        }))
    }
}

impl ObjectValue for Object<'_> {
    fn type_name(&self) -> &str {
        self.ty
    }

    fn resolve_field<'b>(
        &'b self,
        info: &'b ResolveInfo<'b>,
    ) -> Result<ResolvedValue<'b>, FieldError> {
        let stamp = self.world.stamp();
        let text = |text: String| ResolvedValue::Leaf(text.into());
        let list = |items: Vec<ResolvedValue<'b>>| {
            ResolvedValue::List(Box::new(items.into_iter().map(Ok)))
        };
        let thing = |number: u8| self.object("Thing", format!("thing{number}.{stamp}"));
        Ok(match info.field_name() {
            "user" | "someone" => self.object("User", "1".to_owned()),
            "things" | "favourites" => list(vec![thing(1), thing(2)]),
            "first" | "best" => thing(3),
            "add" => self.object("Thing", info.arguments()["id"].as_str().unwrap().to_owned()),
            "wipe" => ResolvedValue::Leaf(1.into()),
            "id" => text(self.id.clone()),
            "stock" => text(format!("{};{stamp}", self.id)),
            "_entities" => {
                let representations = serde_json::to_value(&info.arguments()["representations"]);
                let representations = representations.unwrap();
                let entities = representations.as_array().unwrap().iter();
                list(entities.map(|it| self.entity(it)).collect())
            }
            _ => text(stamp),
        })
    }
}
