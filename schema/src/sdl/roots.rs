//! Renames root types to `Query`, `Mutation` and `Subscription`, and keeps their own names for
//! requests to the subgraph.

use apollo_compiler::ast::Type;
use apollo_compiler::schema::{ComponentName, ExtendedType, Schema};
use apollo_compiler::{Name, name};

use super::Sdl;
use crate::diagnostic::{Code, Diagnostic, Problems};

/// Renames root types to their default names; reports other types with such a name.
pub(super) fn rename(sdl: &mut Sdl, problems: &mut Problems) {
    for (root, default) in [
        (Root::Query, name!("Query")),
        (Root::Mutation, name!("Mutation")),
        (Root::Subscription, name!("Subscription")),
    ] {
        let definition = &sdl.schema.schema_definition;
        let own = match root {
            Root::Query => &definition.query,
            Root::Mutation => &definition.mutation,
            Root::Subscription => &definition.subscription,
        };
        let own = own.as_ref().map(|component| component.name.clone());
        if own.as_ref() == Some(&default) {
            continue;
        }
        if let Some(conflicting) = sdl.schema.types.get(&default) {
            problems.push(root_name_used(sdl, root, conflicting));
        } else if let Some(own) = own {
            sdl.schema.rename(&own, &default);
            let names = (default.as_str().into(), own.as_str().into());
            sdl.renamed_roots.push(names);
            let definition = sdl.schema.schema_definition.make_mut();
            let name = Some(ComponentName::from(default));
            match root {
                Root::Query => definition.query = name,
                Root::Mutation => definition.mutation = name,
                Root::Subscription => definition.subscription = name,
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Root {
    Query,
    Mutation,
    Subscription,
}

fn root_name_used(sdl: &Sdl, root: Root, conflicting: &ExtendedType) -> Diagnostic {
    let (code, word) = match root {
        Root::Query => (Code::RootQueryUsed, "query"),
        Root::Mutation => (Code::RootMutationUsed, "mutation"),
        Root::Subscription => (Code::RootSubscriptionUsed, "subscription"),
    };
    let name = conflicting.name();
    let message =
        format!("`{name}` is the name of the graph's {word} root, but is another type here");
    Diagnostic::error(code, sdl.span(name.location()), message).help(format!(
        "give the type another name, or write `schema {{ {word}: {name} }}`"
    ))
}

trait Rename {
    fn rename(&mut self, from: &Name, to: &Name);
}

impl Rename for Schema {
    fn rename(&mut self, from: &Name, to: &Name) {
        let types = std::mem::take(&mut self.types);
        for (name, mut definition) in types {
            definition.rename(from, to);
            let name = if name == *from { to.clone() } else { name };
            self.types.insert(name, definition);
        }
    }
}

impl Rename for ExtendedType {
    fn rename(&mut self, from: &Name, to: &Name) {
        match self {
            Self::Object(it) => {
                if it.name == *from {
                    // The new name has no position: the document has the old one there.
                    it.make_mut().name = to.clone();
                }
                let mut fields = it.fields.values();
                if fields.any(|field| field.ty.inner_named_type() == from) {
                    for field in it.make_mut().fields.values_mut() {
                        field.make_mut().ty.rename(from, to);
                    }
                }
            }
            Self::Interface(it) => {
                for field in it.make_mut().fields.values_mut() {
                    field.make_mut().ty.rename(from, to);
                }
            }
            Self::Union(it) if it.members.contains(from.as_str()) => {
                let it = it.make_mut();
                it.members.shift_remove(from.as_str());
                it.members.insert(ComponentName::from(to.clone()));
            }
            _ => {}
        }
    }
}

impl Rename for Type {
    fn rename(&mut self, from: &Name, to: &Name) {
        match self {
            Self::Named(name) | Self::NonNullNamed(name) => {
                if name == from {
                    *name = to.clone();
                }
            }
            Self::List(inner) | Self::NonNullList(inner) => inner.rename(from, to),
        }
    }
}
