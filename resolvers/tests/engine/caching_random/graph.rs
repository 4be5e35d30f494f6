//! A graph of three subgraphs with random rules: hints and tags at random places.

use std::collections::BTreeMap;

use fastrand::Rng;
use resolvers::cache::Target;

/// The subgraphs of the graph; `HINT` and `TAGS` are replaced at each place.
const PEOPLE: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@cacheTag"])
    type Query {
      user: User @Query.user
      someone: Named @Query.someone
      first: Thing @Query.first
      things(kind: Kind = TOY): [Thing] @Query.things
    }
    type Mutation {
      add(id: ID!): Thing @openfed__cacheInvalidate
      wipe: Int @cacheInvalidate(types: ["Thing"])
    }
    enum Kind { TOY BOOK }
    interface Named { note: String @Named.note favourites: [Thing] @Named.favourites best: Thing @Named.best }
    type User implements Named @key(fields: "id") @User {
      id: ID!
      note: String @User.note
      favourites: [Thing] @User.favourites
      best: Thing @User.best
    }
    type Robot implements Named @Robot {
      note: String @Robot.note
      favourites: [Thing] @Robot.favourites
      best: Thing @Robot.best
    }
    type Thing @key(fields: "id") @Thing { id: ID! label: String @Thing.label }
"#;
const STOCK: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@cacheTag"])
    type Thing @key(fields: "id") @Thing { id: ID! stock: String @Thing.stock }
"#;
const REST: &str = r#"
    extend schema
      @link(url: "https://specs.apollo.dev/federation/v2.12", import: ["@key", "@cacheTag"])
      @link(url: "https://specs.apollo.dev/connect/v0.3", import: ["@source", "@connect"])
      @source(name: "api", http: { baseURL: "http://127.0.0.1" })
    type Query {
      posts: [Post] @Query.posts @connect(source: "api", http: { GET: "/posts" }, selection: "id text")
    }
    type Post @Post { id: ID! text: String @Post.text }
    type Thing @key(fields: "id") @Thing
      @connect(
        source: "api"
        http: { GET: "/things", queryParams: "ids: $batch.id->joinNotNull(',')" }
        selection: "id price"
      ) {
      id: ID!
      price: String @Thing.price
    }
"#;

/// The subgraphs with their documents, without rules.
pub(crate) const SUBGRAPHS: [(&str, &str); 3] =
    [("people", PEOPLE), ("stock", STOCK), ("rest", REST)];

/// The rules of one place: a type or a field of one subgraph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// In seconds.
    pub(crate) max_age: Option<u64>,
    pub(crate) is_private: Option<bool>,
    /// Formats of tags.
    tags: Vec<&'static str>,
}

/// The rules of a graph, by subgraph and place.
#[derive(Clone, Debug)]
pub(crate) struct RandomGraph(BTreeMap<(&'static str, &'static str), Rules>);

impl RandomGraph {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let places = SUBGRAPHS.iter().flat_map(|(subgraph, text)| {
            let places = places(text).into_iter();
            places.map(move |place| (*subgraph, place))
        });
        let rules = places.map(|place| (place, Rules::random(place, rng)));
        Self(rules.collect())
    }

    /// The documents of the subgraphs.
    pub(crate) fn documents(&self) -> Vec<(&'static str, String)> {
        let documents = SUBGRAPHS.iter().map(|(subgraph, text)| {
            let mut document = (*text).to_owned();
            // The longer names first: `Thing` is the beginning of `Thing.stock`.
            for ((_, place), rules) in self.0.iter().rev().filter(|(at, _)| at.0 == *subgraph) {
                document = document.replace(&format!("@{place} "), &format!("{} ", rules.sdl()));
                document = document.replace(&format!("@{place}\n"), &format!("{}\n", rules.sdl()));
            }
            (*subgraph, document)
        });
        documents.collect()
    }

    pub(crate) fn at(&self, subgraph: &'static str, place: &str) -> Rules {
        let found = self
            .0
            .iter()
            .find(|(at, _)| at.0 == subgraph && at.1 == place);
        found.map(|(_, rules)| rules.clone()).unwrap_or_default()
    }

    /// Whether a place has a tag of this name; `value` is that of the expression of its formats.
    pub(crate) fn has_tag(&self, at: (&'static str, &str), value: &str, name: &str) -> bool {
        let tags = self.at(at.0, at.1).tags;
        tags.iter().any(|format| expanded(format, value) == name)
    }

    /// A random invalidation; `ids` are known keys of things.
    pub(crate) fn invalidation(&self, ids: &[String], rng: &mut Rng) -> Target {
        let id = rng.choice(ids).cloned().unwrap_or_default();
        match rng.u8(..8) {
            0 => Target::Everything,
            1 => Target::Subgraph(rng.choice(["people", "stock", "rest"]).unwrap().to_owned()),
            2 | 3 => {
                let types = ["Thing", "Thing", "User", "Post", "Query"];
                Target::Type(rng.choice(types).unwrap().to_owned())
            }
            4 | 5 => Target::Entity {
                type_name: "Thing".to_owned(),
                key: resolvers::cache::EntityKey::from_json(
                    &serde_json::json!({ "id": id }).to_string(),
                )
                .unwrap(),
            },
            _ => {
                let formats: Vec<&str> = self.0.values().flat_map(|it| it.tags.clone()).collect();
                let format = rng.choice(formats).unwrap_or("none");
                let value = if format.contains("$args") {
                    (*rng.choice(&["TOY", "BOOK"]).unwrap()).to_owned()
                } else {
                    id
                };
                Target::Named(expanded(format, &value))
            }
        }
    }
}

fn expanded(format: &str, value: &str) -> String {
    let name = format.replace("{$args.kind}", value);
    name.replace("{$key.id}", value)
}

impl Rules {
    fn random((subgraph, place): (&str, &str), rng: &mut Rng) -> Self {
        let mut rules = Self::default();
        if rng.u8(..6) == 0 {
            rules.max_age = Some(*rng.choice(&[0, 10, 20, 60]).unwrap());
        }
        if rng.u8(..5) == 0 {
            rules.is_private = Some(rng.u8(..4) > 0);
        }
        let formats: &[&'static str] = match (subgraph, place) {
            (_, "Query.user") => &["user", "roots"],
            (_, "Query.someone") => &["someone", "roots"],
            (_, "Query.first") => &["first"],
            (_, "Query.things") => &["things", "things-{$args.kind}", "roots"],
            (_, "Query.posts") => &["posts"],
            ("stock", "Thing") => &["stock-{$key.id}", "stocks"],
            ("rest", "Thing") => &["price-{$key.id}"],
            _ => &[],
        };
        rules.tags = formats.iter().copied().filter(|_| rng.bool()).collect();
        rules
    }

    /// The stricter of both, argument by argument.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            max_age: [self.max_age, other.max_age].into_iter().flatten().min(),
            is_private: [self.is_private, other.is_private]
                .into_iter()
                .flatten()
                .max(),
            tags: Vec::new(),
        }
    }

    /// The rules of a field; those of the type that it returns apply where it has none.
    pub(crate) fn or(&self, returned: &Self) -> Self {
        Self {
            max_age: self.max_age.or(returned.max_age),
            is_private: self.is_private.or(returned.is_private),
            tags: Vec::new(),
        }
    }

    fn sdl(&self) -> String {
        let age = self.max_age.map(|age| format!("maxAge: {age}"));
        let scope = self
            .is_private
            .map(|is_private| format!("scope: {}", if is_private { "PRIVATE" } else { "PUBLIC" }));
        let arguments: Vec<String> = age.into_iter().chain(scope).collect();
        let hint = format!("@cacheControl({})", arguments.join(", "));
        let hint = (!arguments.is_empty()).then_some(hint);
        let tags = self.tags.iter();
        let tags = tags.map(|format| format!("@cacheTag(format: \"{format}\")"));
        hint.into_iter().chain(tags).collect::<Vec<_>>().join(" ")
    }
}

/// The places of a document: the names after `@` that are no directives.
fn places(text: &'static str) -> Vec<&'static str> {
    let names = text.split('@').skip(1);
    let names = names.map(|rest| {
        let end = rest.find(|it: char| !it.is_alphanumeric() && it != '.');
        rest.split_at(end.unwrap_or(rest.len())).0
    });
    names
        .filter(|name| name.starts_with(char::is_uppercase))
        .collect()
}
