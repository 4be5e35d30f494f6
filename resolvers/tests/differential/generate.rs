//! A random graph, split at random so that every field can be reached.
//!
//! Types first, then the subgraphs that have them (`homes`), then overrides, requirements (`needs`)
//! and provided fields (`provides`).

use std::sync::Arc;

use crate::model::{Argument, Field, Kind, Literal, Model, Name, Pick, Role, Ty, Type};
use crate::random::Random;

mod abstracts;
mod contexts;
mod homes;
mod more;
mod needs;
mod provides;
mod rest;
mod split;

/// The graph of a seed.
pub(crate) fn model(seed: u64) -> Model {
    let random = Random::new(seed);
    let mut generator = Generator {
        model: Model {
            seed,
            subgraphs: Vec::new(),
            legacy: Vec::new(),
            rest: None,
            types: indexmap::IndexMap::new(),
        },
        random,
        candidates: indexmap::IndexMap::new(),
    };
    generator.types();
    generator.homes();
    generator.split();
    generator.overrides();
    generator.needs();
    generator.provides();
    generator.narrower();
    generator.interface_object();
    generator.stricter();
    generator.strangers();
    generator.hidden();
    generator.legacy();
    generator.contexts();
    generator.rest();
    generator.model
}

struct Generator {
    model: Model,
    random: Random,
    /// The possible members of each interface and union.
    candidates: indexmap::IndexMap<Name, Vec<Name>>,
}

impl Generator {
    fn types(&mut self) {
        for index in 0..self.random.between(2, 5) {
            self.model.subgraphs.push(format!("s{index}").into());
        }
        let entities = self.random.between(2, 5);
        let values = self.random.below(3);
        self.declare("Query", Kind::Root);
        for index in 0..entities {
            self.declare(&format!("E{index}"), Kind::Entity);
        }
        for index in 0..values {
            self.declare(&format!("V{index}"), Kind::Value);
        }
        self.abstracts();
        for name in self.named(Kind::Value) {
            self.add(&name, "id", Field::new(Ty::required("ID"), Role::Id));
            self.plain_fields(&name, (1, 3));
        }
        for name in self.named(Kind::Entity) {
            self.keys(&name);
            self.plain_fields(&name, (2, 5));
        }
        self.shared_fields();
        self.plain_fields("Query", (2, 5));
        if self.random.one_in(4) {
            self.declare("Mutation", Kind::Root);
            self.plain_fields("Mutation", (2, 5));
        }
    }

    fn declare(&mut self, name: &str, kind: Kind) {
        self.model.types.insert(name.into(), Type::new(kind));
    }

    /// The names of all types of a kind.
    fn named(&self, kind: Kind) -> Vec<Name> {
        let types = self.model.types.iter();
        types
            .filter(|(_, ty)| ty.kind == kind)
            .map(|(name, _)| Arc::clone(name))
            .collect()
    }

    fn add(&mut self, owner: &str, name: &str, field: Field) {
        self.model.types[owner].fields.insert(name.into(), field);
    }

    /// Adds an `id`, and sometimes another key.
    fn keys(&mut self, name: &Name) {
        self.add(name, "id", Field::new(Ty::required("ID"), Role::Id));
        let mut keys = vec![vec![Pick::leaf("id")]];
        keys.extend(self.other_key(name));
        self.model.types[name].keys = keys;
    }

    fn other_key(&mut self, name: &Name) -> Option<Vec<Pick>> {
        match self.random.below(8) {
            0 | 1 => {
                self.add(name, "code", Field::new(Ty::required("Int"), Role::Number));
                Some(vec![Pick::leaf("code")])
            }
            2 => {
                self.add(name, "low", Field::new(Ty::required("Int"), Role::Low));
                self.add(name, "high", Field::new(Ty::required("String"), Role::High));
                Some(vec![Pick::leaf("high"), Pick::leaf("low")])
            }
            3 => {
                let value = Arc::clone(self.random.pick(&self.named(Kind::Value))?);
                self.add(
                    name,
                    "spot",
                    Field::new(Ty::required(&value), Role::Present),
                );
                Some(vec![inside("spot", "id")])
            }
            4 => {
                let mut others = self.named(Kind::Entity);
                others.retain(|other| other != name);
                let other = Arc::clone(self.random.pick(&others)?);
                self.add(name, "twin", Field::new(Ty::required(&other), Role::Twin));
                Some(vec![inside("twin", "id")])
            }
            _ => None,
        }
    }

    fn plain_fields(&mut self, owner: &str, (least, most): (usize, usize)) {
        for _ in 0..self.random.between(least, most) {
            // Few names, so that types have fields of one name and different types.
            let name = ["a", "b", "c", "d", "e", "f", "g"][self.random.below(7)];
            if !self.model.types[owner].fields.contains_key(name) {
                let is_root = self.model.types[owner].kind == Kind::Root;
                let field = self.plain_field(is_root);
                self.add(owner, name, field);
            }
        }
    }

    fn plain_field(&mut self, is_root: bool) -> Field {
        let ty = self.ty(is_root);
        let role = if self.random.one_in(4) {
            Role::Present
        } else {
            Role::Plain
        };
        let mut field = Field::new(ty, role);
        if self.random.one_in(5) {
            field.arguments = self.arguments();
        }
        field
    }

    /// A type: composite for most root fields and half of the others.
    fn ty(&mut self, is_root: bool) -> Ty {
        let name = if self.random.one_in(if is_root { 8 } else { 2 }) {
            const LEAVES: [&str; 7] = ["Int", "String", "Float", "Boolean", "ID", "Color", "Json"];
            LEAVES[self.random.below(LEAVES.len())].into()
        } else {
            self.composite()
        };
        let is_abstract = (self.model.get(&name)).is_some_and(Type::is_abstract);
        let lists = [0, 0, 0, 0, 1, 1, 1, 2][self.random.below(8)];
        let mut required = [(); 3].map(|()| self.random.one_in(3));
        // If the subgraphs know no common member, the value is null.
        required[lists] &= !is_abstract;
        Ty {
            named: name,
            lists,
            required,
        }
    }

    fn composite(&mut self) -> Name {
        let mut names: Vec<Name> = self.model.types.keys().cloned().collect();
        names.retain(|name| self.model.types[name].kind != Kind::Root && **name != *split::NAME);
        let mut all = names.clone();
        // Entities are more frequent.
        all.extend(self.named(Kind::Entity));
        Arc::clone(self.random.pick(&all).unwrap())
    }

    fn arguments(&mut self) -> indexmap::IndexMap<Name, Argument> {
        let known = [
            argument("n", "Int", Some(("4", 4.into()))),
            argument("n", "Int", None),
            argument("word", "String", Some(("\"w\"", "w".into()))),
            argument("color", "Color", None),
            argument("filter", "Filter", None),
            argument("flags", "[Boolean!]", None),
        ];
        let count = self.random.between(1, 2);
        self.random.some(&known, count).into_iter().collect()
    }
}

fn argument(
    name: &str,
    ty: &str,
    default: Option<(&str, apollo_compiler::response::JsonValue)>,
) -> (Name, Argument) {
    let default = default.map(|(text, json)| Literal {
        text: text.into(),
        json,
    });
    let ty = ty.into();
    (name.into(), Argument { ty, default })
}

/// The pick `field { inner }`.
fn inside(field: &str, inner: &str) -> Pick {
    Pick {
        inner: vec![Pick::leaf(inner)],
        ..Pick::leaf(field)
    }
}
