//! A random operation over a graph.

use std::sync::Arc;

use apollo_compiler::response::JsonValue;
use indexmap::IndexMap;

use super::{Fragment, Operation, Selection, Variable, What};
use crate::model::{Argument, Field, Kind, Model, Name};
use crate::random::Random;

/// The operation of a seed. With `Aliased::All` every field has its own response key; otherwise
/// fields may have one response key, and may conflict.
pub(crate) fn operation(model: &Model, seed: u64, aliased: Aliased) -> Operation {
    let mut random = Random::new(seed);
    let deepest = random.between(2, 5);
    let is_mutation = model.get("Mutation").is_some() && random.one_in(2);
    let root = if is_mutation { "Mutation" } else { "Query" };
    let mut generator = Generator {
        model,
        random,
        aliased,
        keys: 0,
        left: 40,
        operation: Operation {
            root: root.into(),
            selections: Vec::new(),
            fragments: IndexMap::new(),
            variables: IndexMap::new(),
        },
    };
    generator.operation.selections = generator.selections(root, deepest);
    generator.operation
}

/// The fields that have their own response key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aliased {
    /// Fields with arguments, and some others.
    Some,
    All,
}

struct Generator<'a> {
    model: &'a Model,
    random: Random,
    aliased: Aliased,
    /// Number of response keys so far.
    keys: usize,
    /// Number of fields that may still be added.
    left: usize,
    operation: Operation,
}

impl Generator<'_> {
    fn selections(&mut self, on: &str, depth: usize) -> Vec<Selection> {
        let mut selections = Vec::new();
        let count = self.random.between(1, 4);
        for _ in 0..count {
            selections.extend(self.selection(on, depth));
        }
        if selections.is_empty() {
            selections.push(type_name());
        }
        selections
    }

    fn selection(&mut self, on: &str, depth: usize) -> Option<Selection> {
        let kind = self.model.get(on)?.kind;
        let is_abstract = matches!(kind, Kind::Interface | Kind::Union);
        let mut selection = match self.random.below(if is_abstract { 6 } else { 16 }) {
            0 if kind != Kind::Root => type_name(),
            1 => self.inline(on, depth)?,
            2 => self.spread(on, depth),
            3 | 4 if is_abstract => self.inline(on, depth)?,
            _ => self.field(on, depth)?,
        };
        if self.random.one_in(10) {
            let include = self.random.one_in(2);
            let variable = self.condition();
            selection.conditions.push((include, variable));
        }
        Some(selection)
    }

    fn field(&mut self, on: &str, depth: usize) -> Option<Selection> {
        self.left = self.left.checked_sub(1)?;
        let model = self.model;
        let mut names = model.visible(on);
        let fields = &model.get(on)?.fields;
        if depth <= 1 {
            names.retain(|name| model.get(&fields[*name].ty.named).is_none());
        }
        let name = Name::clone(self.random.pick(&names)?);
        let field = &fields[&name];
        let inner = match model.get(&field.ty.named) {
            Some(_) => self.selections(&field.ty.named, depth - 1),
            None => Vec::new(),
        };
        let alias = self.alias(field);
        Some(Selection {
            what: What::Field {
                alias,
                arguments: self.arguments(field),
                name,
            },
            conditions: Vec::new(),
            inner,
        })
    }

    fn alias(&mut self, field: &Field) -> Option<Name> {
        let own =
            self.aliased == Aliased::All || !field.arguments.is_empty() || self.random.one_in(8);
        self.keys += 1;
        own.then(|| format!("k{}", self.keys).into())
    }

    /// A type condition that may hold: the type itself, a member, an interface of it, or none.
    fn inline(&mut self, on: &str, depth: usize) -> Option<Selection> {
        let condition = self.narrower(on);
        let of = condition.clone().unwrap_or_else(|| on.into());
        self.left = self.left.checked_sub(1)?;
        Some(Selection {
            what: What::Inline(condition),
            conditions: Vec::new(),
            inner: self.selections(&of, depth),
        })
    }

    fn narrower(&mut self, on: &str) -> Option<Name> {
        let mut names = self.model.members(on);
        names.extend(names.clone());
        for member in self.model.members(on) {
            let interfaces = self.model.interfaces(&member, None);
            names.extend(interfaces.into_iter().cloned());
        }
        if self.random.one_in(6) {
            return None;
        }
        self.random.pick(&names).cloned()
    }

    fn spread(&mut self, on: &str, depth: usize) -> Selection {
        let fragments = self.operation.fragments.iter();
        let mut known: Vec<Name> = fragments
            .filter(|(_, fragment)| *fragment.on == *on)
            .map(|(name, _)| Arc::clone(name))
            .collect();
        let name = if known.is_empty() || self.random.one_in(2) {
            let on = self.narrower(on).unwrap_or_else(|| on.into());
            // The name is chosen after the inner fragments, so no fragment contains itself.
            let selections = self.selections(&on, depth.min(3));
            let name: Name = format!("F{}", self.operation.fragments.len()).into();
            let fragment = Fragment { on, selections };
            self.operation.fragments.insert(Arc::clone(&name), fragment);
            name
        } else {
            known.swap_remove(self.random.below(known.len()))
        };
        Selection {
            what: What::Spread(name),
            conditions: Vec::new(),
            inner: Vec::new(),
        }
    }

    /// The name of a variable for `@skip` and `@include`.
    fn condition(&mut self) -> Name {
        let name: Name = format!("if{}", self.random.below(3)).into();
        if !self.operation.variables.contains_key(&name) {
            let value = self.random.one_in(2);
            self.variable(&name, "Boolean!", Some(value.into()), None);
        }
        name
    }

    fn variable(&mut self, name: &Name, ty: &str, value: Option<JsonValue>, default: Option<&str>) {
        let variable = Variable {
            ty: ty.into(),
            default: default.map(Into::into),
            value,
        };
        self.operation.variables.insert(Arc::clone(name), variable);
    }

    fn arguments(&mut self, field: &Field) -> Vec<(Name, Name)> {
        let mut arguments = Vec::new();
        for (name, argument) in &field.arguments {
            if !self.random.one_in(3) {
                let value = self.argument(argument);
                arguments.push((Arc::clone(name), value));
            }
        }
        arguments
    }

    fn argument(&mut self, argument: &Argument) -> Name {
        let (literal, json) = self.value(&argument.ty);
        if self.random.one_in(2) {
            return literal.into();
        }
        let name: Name = format!("v{}", self.operation.variables.len()).into();
        // The oracle's library does not coerce other defaults (`true` for a list).
        let is_leaf = matches!(&*argument.ty, "Int" | "String" | "Color");
        let default = (is_leaf && self.random.one_in(4)).then_some(literal);
        let value = if self.random.one_in(5) {
            None
        } else {
            Some(json)
        };
        self.variable(&name, &argument.ty, value, default);
        format!("${name}").into()
    }

    /// One value of a type, as a literal and as JSON.
    fn value(&mut self, ty: &str) -> (&'static str, JsonValue) {
        let known: &[(&'static str, &str)] = match ty {
            "Int" => &[("1", "2"), ("null", "null"), ("-7", "8")],
            "String" => &[
                ("\"a b\"", "\"$x \\\" é\""),
                ("\"\\u00e9\\n\"", "\"\""),
                ("null", "null"),
            ],
            "Color" => &[("RED", "\"GREEN\""), ("BLUE", "\"BLUE\"")],
            "Filter" => &[
                ("{}", "{}"),
                ("{ most: 2 }", r#"{"most": null, "words": ["x"]}"#),
                (
                    "{ words: [\"y\", \"z\"], most: null }",
                    r#"{"words": null}"#,
                ),
                ("{ words: \"one\" }", r#"{"words": "one"}"#),
            ],
            _ => &[
                ("[true, false]", "[true]"),
                ("true", "false"),
                ("[]", "null"),
            ],
        };
        let (literal, json) = known[self.random.below(known.len())];
        let json = serde_json::from_str(json).unwrap_or(JsonValue::Null);
        (literal, json)
    }
}

fn type_name() -> Selection {
    Selection {
        what: What::Field {
            alias: None,
            name: "__typename".into(),
            arguments: Vec::new(),
        },
        conditions: Vec::new(),
        inner: Vec::new(),
    }
}
