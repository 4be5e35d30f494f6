//! The schema file of the reviews subgraph matches the SDL that the service returns.
//!
//! Schemas are compared as sets of facts, one for each type, field and value; order, white space
//! and the kind of quotes do not matter.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ConstDirective, FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{Positioned, Value};
use mocks::Shop;
use serde_json::json;

use crate::client::post;

#[tokio::test]
async fn the_schema_file_of_reviews_matches_the_service() {
    let shop = Shop::start().await.unwrap();
    let query = json!({ "query": "{ _service { sdl } }" });
    let answer = post(&shop.reviews, "/graphql", &query).await.expect(200);
    let served = answer["data"]["_service"]["sdl"].as_str().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/commerce/reviews.graphql");
    let written = fs::read_to_string(file).unwrap();
    let (served, written) = (Facts::from_sdl(served), Facts::from_sdl(&written));

    let differences: Vec<_> = served.all.symmetric_difference(&written.all).collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert!(served.all.len() > 30, "{:#?}", served.all);
    assert_eq!(written.links.len(), 1);
    assert_eq!(served.links.len(), 1);
    let ((served_url, served_imports), (url, imports)) = (&served.links[0], &written.links[0]);
    assert_eq!(served_url, url);
    // The service imports all directives, the file only those it uses.
    assert_eq!(imports, &written.directives);
    assert!(imports.is_subset(served_imports), "{served_imports:?}");
    shop.stop().await;
}

#[test]
fn facts_differ_when_schemas_do() {
    let one =
        "type A @key(fields: \"id\") { \"Text.\" f(a: Int = 1, b: ID!): [Int!]! } enum E { X Y }";
    let same = "enum E { Y X }\ntype A @key(fields: \"\"\"id\"\"\") { \"\"\"\nText.\n\"\"\" f(b: ID!, a: Int = 1): [Int!]! }";
    assert_eq!(Facts::from_sdl(one).all, Facts::from_sdl(same).all);
    for (from, to) in [
        ("id", "no"),
        ("Text", "Other"),
        ("= 1", "= 2"),
        ("ID!", "ID"),
        ("[Int!]!", "[Int]!"),
        ("X Y", "X"),
        ("type A", "extend type A"),
        (" f(", " @shareable g("),
    ] {
        let other = one
            .replacen(from, to, 1)
            .replace("\" @share", "\" g: Int @share");
        assert_ne!(
            Facts::from_sdl(one).all,
            Facts::from_sdl(&other).all,
            "{from}"
        );
    }
}

/// The facts of a schema.
#[derive(Default)]
struct Facts {
    all: BTreeSet<String>,
    /// URL and imports of each `@link`.
    links: Vec<(String, BTreeSet<String>)>,
    /// The directives in use, as imports name them.
    directives: BTreeSet<String>,
}

impl Facts {
    fn from_sdl(sdl: &str) -> Self {
        let mut facts = Self::default();
        for definition in parse_schema(sdl).unwrap().definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    schema
                        .node
                        .directives
                        .iter()
                        .for_each(|link| facts.link(link));
                }
                TypeSystemDefinition::Type(definition) => facts.read(&definition.node),
                TypeSystemDefinition::Directive(directive) => {
                    let name = directive.node.name.node.as_str();
                    assert!(
                        matches!(name, "include" | "skip"),
                        "@{name} is not a standard directive"
                    );
                }
            }
        }
        facts
    }

    fn link(&mut self, link: &Positioned<ConstDirective>) {
        let argument = |name| link.node.get_argument(name).map(|value| value.node.clone());
        let (Some(Value::String(url)), Some(Value::List(imports))) =
            (argument("url"), argument("import"))
        else {
            panic!("{link:?}");
        };
        let imports = imports.iter().map(|name| match name {
            Value::String(name) => name.clone(),
            other => panic!("{other}"),
        });
        self.links.push((url, imports.collect()));
    }

    fn read(&mut self, definition: &TypeDefinition) {
        let name = definition.name.node.as_str();
        let extend = if definition.extend { "extend " } else { "" };
        let kind = match &definition.kind {
            TypeKind::Scalar => "scalar".to_owned(),
            TypeKind::Object(object) => {
                for field in &object.fields {
                    self.field(name, &field.node);
                }
                format!("type {:?}", object.implements)
            }
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    let field = self.input(&field.node);
                    self.all.insert(format!("{name}.{field}"));
                }
                "input".to_owned()
            }
            TypeKind::Enum(values) => {
                for value in &values.values {
                    let fact = self.annotated(
                        value.node.value.node.as_str(),
                        &value.node.directives,
                        value.node.description.as_ref(),
                    );
                    self.all.insert(format!("{name}.{fact}"));
                }
                "enum".to_owned()
            }
            other => panic!("unsupported: {other:?}"),
        };
        let fact = self.annotated(
            name,
            &definition.directives,
            definition.description.as_ref(),
        );
        self.all.insert(format!("{extend}{kind} {fact}"));
    }

    fn field(&mut self, owner: &str, field: &FieldDefinition) {
        let arguments: BTreeSet<_> = field
            .arguments
            .iter()
            .map(|argument| self.input(&argument.node))
            .collect();
        let text = format!(
            "{owner}.{}{arguments:?}: {}",
            field.name.node, field.ty.node
        );
        let fact = self.annotated(&text, &field.directives, field.description.as_ref());
        self.all.insert(fact);
    }

    fn input(&mut self, input: &InputValueDefinition) -> String {
        let default = input
            .default_value
            .as_ref()
            .map(|value| value.node.to_string());
        let text = format!("{}: {} = {default:?}", input.name.node, input.ty.node);
        self.annotated(&text, &input.directives, input.description.as_ref())
    }

    /// A fact with its directives and its description.
    fn annotated(
        &mut self,
        fact: &str,
        directives: &[Positioned<ConstDirective>],
        description: Option<&Positioned<String>>,
    ) -> String {
        let directives = directives.iter().map(|directive| {
            let name = format!("@{}", directive.node.name.node);
            let arguments: BTreeSet<_> = directive
                .node
                .arguments
                .iter()
                .map(|(name, value)| format!("{}: {}", name.node, value.node))
                .collect();
            self.directives.insert(name.clone());
            format!("{name}{arguments:?}")
        });
        let directives: BTreeSet<_> = directives.collect();
        let description = description.map(|text| text.node.trim());
        format!("{fact} {directives:?} {description:?}")
    }
}
