//! The parts of a graph that can be removed, one at a time.

use std::sync::Arc;

use crate::model::{Availability, Label, Model, Name};

/// The removal of one part.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Subgraph(Name),
    Type(Name),
    Home(Name, Name),
    Field(Name, Name),
    /// A field of a type in a subgraph.
    HomeField(Name, Name, Name),
    /// A key of a type in a subgraph.
    Key(Name, Name, usize),
    Member(Name, Name, usize),
    /// One of the requirements of a field.
    Requires(Name, Name, usize),
    /// One of the fields that a field provides in a subgraph.
    Provides(Name, Name, Name, usize),
    /// The attributes of a field in a subgraph.
    Plain(Name, Name, Name),
    /// The arguments of a field.
    Arguments(Name, Name),
    /// One list of a field's type.
    List(Name, Name),
    /// The argument that an ancestor gives.
    Context(Name, Name),
    /// The `@inaccessible` of a field.
    Hidden(Name, Name),
    /// The object that a subgraph does not know.
    Unknown(Name),
    /// That a subgraph is in federation 1.
    Legacy(Name),
}

/// All removals, large parts first.
pub(crate) fn edits(model: &Model) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    edits.extend(model.subgraphs.iter().cloned().map(Edit::Subgraph));
    edits.extend(model.types.keys().cloned().map(Edit::Type));
    edits.extend(model.legacy.iter().cloned().map(Edit::Legacy));
    for (name, ty) in &model.types {
        let name = || Arc::clone(name);
        edits.extend(ty.unknown.as_ref().map(|_| Edit::Unknown(name())));
        for subgraph in ty.homes.keys() {
            edits.push(Edit::Home(name(), Arc::clone(subgraph)));
        }
        for (field_name, field) in &ty.fields {
            let at = || Arc::clone(field_name);
            edits.push(Edit::Field(name(), at()));
            let requires = 0..field.requires.len();
            edits.extend(requires.map(|index| Edit::Requires(name(), at(), index)));
            if !field.arguments.is_empty() {
                edits.push(Edit::Arguments(name(), at()));
            }
            if field.context.is_some() {
                edits.push(Edit::Context(name(), at()));
            }
            if field.is_hidden {
                edits.push(Edit::Hidden(name(), at()));
            }
            if field.ty.lists > 0 {
                edits.push(Edit::List(name(), at()));
            }
        }
    }
    for (name, ty) in &model.types {
        for subgraph in ty.homes.keys() {
            edits.extend(of_home(model, name, subgraph));
        }
    }
    edits
}

fn of_home(model: &Model, name: &Name, subgraph: &Name) -> Vec<Edit> {
    let Some(home) = model.home(name, subgraph) else {
        return Vec::new();
    };
    let place = || (Arc::clone(name), Arc::clone(subgraph));
    let mut edits = Vec::new();
    for index in 0..home.keys.len() {
        edits.push(Edit::Key(place().0, place().1, index));
    }
    for index in 0..home.members.len() {
        edits.push(Edit::Member(place().0, place().1, index));
    }
    for (field, home_field) in &home.fields {
        let at = || (place().0, place().1, Arc::clone(field));
        let (ty, subgraph, field) = at();
        edits.push(Edit::HomeField(ty, subgraph, field));
        for index in 0..home_field.provides.len() {
            let (ty, subgraph, field) = at();
            edits.push(Edit::Provides(ty, subgraph, field, index));
        }
        let is_plain = !home_field.is_stricter && home_field.narrower.is_none();
        if !is_plain || home_field.overrides.is_some() {
            let (ty, subgraph, field) = at();
            edits.push(Edit::Plain(ty, subgraph, field));
        }
    }
    edits
}

impl Edit {
    /// Removes the part; references to it stay.
    pub(crate) fn apply(&self, model: &mut Model) {
        match self {
            Self::Subgraph(name) => {
                model.subgraphs.retain(|known| known != name);
                for ty in model.types.values_mut() {
                    ty.homes.shift_remove(name);
                }
            }
            Self::Type(name) => {
                model.types.shift_remove(name);
            }
            Self::Home(name, subgraph) => {
                model.types[name].homes.shift_remove(subgraph);
            }
            Self::Field(name, field) => {
                model.types[name].fields.shift_remove(field);
            }
            Self::Requires(name, field, index) => {
                let field = &mut model.types[name].fields[field];
                field.requires.remove(*index);
            }
            Self::Arguments(name, field) => model.types[name].fields[field].arguments.clear(),
            Self::Context(name, field) => model.types[name].fields[field].context = None,
            Self::Hidden(name, field) => model.types[name].fields[field].is_hidden = false,
            Self::Unknown(name) => model.types[name].unknown = None,
            Self::Legacy(name) => model.legacy.retain(|known| known != name),
            Self::List(name, field) => {
                let ty = &mut model.types[name].fields[field].ty;
                ty.lists -= 1;
                ty.required.rotate_left(1);
            }
            Self::HomeField(..)
            | Self::Key(..)
            | Self::Member(..)
            | Self::Provides(..)
            | Self::Plain(..) => self.apply_to_home(model),
        }
    }

    fn apply_to_home(&self, model: &mut Model) {
        let home = |model: &mut Model, name: &Name, subgraph: &Name| {
            std::mem::take(&mut model.types[name].homes[subgraph])
        };
        let (Self::HomeField(name, subgraph, _)
        | Self::Key(name, subgraph, _)
        | Self::Member(name, subgraph, _)
        | Self::Provides(name, subgraph, _, _)
        | Self::Plain(name, subgraph, _)) = self
        else {
            return;
        };
        let mut changed = home(model, name, subgraph);
        match self {
            Self::HomeField(_, _, field) => {
                changed.fields.shift_remove(field);
            }
            Self::Key(_, _, index) => {
                changed.keys.remove(*index);
            }
            Self::Member(_, _, index) => {
                changed.members.remove(*index);
            }
            Self::Provides(_, _, field, index) => {
                changed.fields[field].provides.remove(*index);
            }
            Self::Plain(_, _, field) => {
                let home_field = &mut changed.fields[field];
                home_field.is_stricter = false;
                home_field.narrower = None;
                if home_field.label.take() == Some(Label::Off) {
                    home_field.availability = Availability::Resolved;
                }
                if let Some(from) = home_field.overrides.take() {
                    let others = &mut model.types[name].homes;
                    let other = others
                        .get_mut(&from)
                        .and_then(|it| it.fields.get_mut(field));
                    if let Some(other) = other {
                        other.availability = Availability::Resolved;
                    }
                }
            }
            _ => {}
        }
        model.types[name].homes[subgraph] = changed;
    }
}
