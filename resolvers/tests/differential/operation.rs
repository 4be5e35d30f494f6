//! An operation as a tree that can be printed and shrunk.

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::Arc;

use apollo_compiler::response::{JsonMap, JsonValue};
use indexmap::IndexMap;

use crate::model::Name;

pub(crate) mod generate;

/// One operation with its variables.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The root type.
    pub(crate) root: Name,
    pub(crate) selections: Vec<Selection>,
    pub(crate) fragments: IndexMap<Name, Fragment>,
    pub(crate) variables: IndexMap<Name, Variable>,
}

#[derive(Clone, Debug)]
pub(crate) struct Fragment {
    pub(crate) on: Name,
    pub(crate) selections: Vec<Selection>,
}

#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// The type as it is written.
    pub(crate) ty: Name,
    pub(crate) default: Option<Name>,
    /// The value that is sent, if any.
    pub(crate) value: Option<JsonValue>,
}

#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) what: What,
    /// `@include(if: $name)`, or `@skip` if the flag is false.
    pub(crate) conditions: Vec<(bool, Name)>,
    pub(crate) inner: Vec<Self>,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    Field {
        alias: Option<Name>,
        name: Name,
        /// Each value as it is written: a literal, or `$variable`.
        arguments: Vec<(Name, Name)>,
    },
    Inline(Option<Name>),
    Spread(Name),
}

impl Operation {
    /// The document, without unused fragments and variables.
    pub(crate) fn document(&self) -> String {
        let mut body = String::new();
        write_all(&self.selections, 1, &mut body);
        let mut fragments = String::new();
        let mut known = HashSet::new();
        self.fragments_of(&self.selections, &mut known, &mut fragments);
        let used = |name: &Name| {
            let mark = format!("${name} ");
            body.contains(&mark) || fragments.contains(&mark)
        };
        let variables: Vec<String> = self
            .variables
            .iter()
            .filter(|(name, _)| used(name))
            .map(|(name, variable)| match &variable.default {
                Some(default) => format!("${name}: {} = {default}", variable.ty),
                None => format!("${name}: {}", variable.ty),
            })
            .collect();
        let word = self.root.to_lowercase();
        let variables = if variables.is_empty() {
            String::new()
        } else {
            format!(" ({})", variables.join(", "))
        };
        format!("{word}{variables} {{\n{body}}}\n{fragments}")
    }

    /// The values of the variables that the document has.
    pub(crate) fn values(&self) -> JsonMap {
        let document = self.document();
        let mut values = JsonMap::new();
        for (name, variable) in &self.variables {
            if let (true, Some(value)) = (document.contains(&format!("${name}:")), &variable.value)
            {
                values.insert(&**name, value.clone());
            }
        }
        values
    }

    fn fragments_of(&self, of: &[Selection], known: &mut HashSet<Name>, text: &mut String) {
        for selection in of {
            self.fragments_of(&selection.inner, known, text);
            let What::Spread(name) = &selection.what else {
                continue;
            };
            let fragment = self.fragments.get(name);
            let (true, Some(fragment)) = (known.insert(Arc::clone(name)), fragment) else {
                continue;
            };
            let _ = writeln!(text, "fragment {name} on {} {{", fragment.on);
            write_all(&fragment.selections, 1, text);
            text.push_str("}\n");
            self.fragments_of(&fragment.selections, known, text);
        }
    }
}

fn write_all(selections: &[Selection], depth: usize, text: &mut String) {
    for selection in selections {
        text.push_str(&"  ".repeat(depth));
        write_one(selection, text);
        for (include, variable) in &selection.conditions {
            let word = if *include { "include" } else { "skip" };
            let _ = write!(text, " @{word}(if: ${variable} )");
        }
        if !selection.inner.is_empty() {
            text.push_str(" {\n");
            write_all(&selection.inner, depth + 1, text);
            text.push_str(&"  ".repeat(depth));
            text.push('}');
        }
        text.push('\n');
    }
}

fn write_one(selection: &Selection, text: &mut String) {
    match &selection.what {
        What::Field {
            alias,
            name,
            arguments,
        } => {
            if let Some(alias) = alias {
                let _ = write!(text, "{alias}: ");
            }
            text.push_str(name);
            if !arguments.is_empty() {
                let each = arguments
                    .iter()
                    .map(|(name, value)| format!("{name}: {value} "));
                let _ = write!(text, "({})", each.collect::<Vec<_>>().join(", "));
            }
        }
        What::Inline(None) => text.push_str("..."),
        What::Inline(Some(on)) => {
            let _ = write!(text, "... on {on}");
        }
        What::Spread(name) => {
            let _ = write!(text, "...{name}");
        }
    }
}
