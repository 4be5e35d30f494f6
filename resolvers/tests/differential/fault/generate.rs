//! Random faults of the parts that an operation uses.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Broken, Down, Fault, Faults, Lost, Objects, may_break};
use crate::model::{Kind, Model, Name, Pick};
use crate::operation::{Operation, Selection, What};
use crate::random::Random;

/// One to three faults, most of which the operation meets.
pub(crate) fn faults(model: &Model, operation: &Operation, seed: u64) -> Faults {
    let mut generator = Generator {
        model,
        random: Random::new(seed ^ 0xfa17),
        fields: fields(model, operation),
    };
    let count = generator.random.between(1, 3);
    let mut faults: Vec<Fault> = Vec::new();
    for _ in 0..count {
        let fault = generator.fault();
        faults.extend(fault.filter(|fault| !faults.iter().any(|it| same_part(it, fault))));
    }
    Faults(faults)
}

/// Whether both are faults of one part, of which only the first would be seen.
fn same_part(one: &Fault, other: &Fault) -> bool {
    match (one, other) {
        (
            Fault::Field { ty, field, .. },
            Fault::Field {
                ty: other,
                field: name,
                ..
            },
        ) => (ty, field) == (other, name),
        (
            Fault::Service { subgraph, .. },
            Fault::Service {
                subgraph: other, ..
            },
        ) => subgraph == other,
        (
            Fault::Entity { subgraph, ty, .. },
            Fault::Entity {
                subgraph: other,
                ty: name,
                ..
            },
        ) => (subgraph, ty) == (other, name),
        _ => false,
    }
}

struct Generator<'a> {
    model: &'a Model,
    random: Random,
    /// The fields that may have a fault, by type.
    fields: Vec<(Name, Name)>,
}

impl Generator<'_> {
    fn fault(&mut self) -> Option<Fault> {
        match self.random.below(8) {
            0 => {
                let subgraph = Name::clone(self.random.pick(&self.model.subgraphs)?);
                let all = [Down::Unavailable, Down::NoData, Down::NotJson, Down::Gone];
                let how = all[self.random.below(all.len())];
                Some(Fault::Service { subgraph, how })
            }
            1 | 2 => self.entity(),
            _ => self.field(),
        }
    }

    fn field(&mut self) -> Option<Fault> {
        let (ty, field) = self.random.pick(&self.fields)?.clone();
        let all = [
            Broken::Throws,
            Broken::Throws,
            Broken::Null,
            Broken::Wrong,
            Broken::NullItem,
            Broken::ThrowingItem,
            Broken::WrongItem,
        ];
        let how = all[self.random.below(all.len())];
        let objects = self.objects();
        Some(Fault::Field {
            ty,
            field,
            objects,
            how,
        })
    }

    fn entity(&mut self) -> Option<Fault> {
        let types = self.model.types.iter();
        let places: Vec<(Name, Name)> = types
            .filter(|(_, ty)| ty.kind == Kind::Entity)
            .flat_map(|(name, ty)| {
                let homes = ty.homes.iter();
                let entered = homes.filter(|(_, home)| home.keys.iter().any(|key| key.resolvable));
                entered.map(|(subgraph, _)| (Arc::clone(name), Arc::clone(subgraph)))
            })
            .collect();
        let (ty, subgraph) = self.random.pick(&places)?.clone();
        let how = if self.random.one_in(2) {
            Lost::Missing
        } else {
            Lost::Throws
        };
        let objects = self.objects();
        Some(Fault::Entity {
            subgraph,
            ty,
            objects,
            how,
        })
    }

    fn objects(&mut self) -> Objects {
        match self.random.below(6) {
            third @ 0..=2 => Objects::Third(third as u64),
            _ => Objects::All,
        }
    }
}

/// The fields with a name that an operation selects, or that one of these requires.
fn fields(model: &Model, operation: &Operation) -> Vec<(Name, Name)> {
    let mut names = BTreeSet::new();
    let fragments = operation.fragments.values().map(|it| &it.selections);
    for selections in fragments.chain([&operation.selections]) {
        add_selected(selections, &mut names);
    }
    for ty in model.types.values() {
        for (name, field) in &ty.fields {
            if names.contains(name) {
                add_picked(&field.requires, &mut names);
            }
        }
    }
    let is_object = |kind: Kind| !matches!(kind, Kind::Interface | Kind::Union);
    let types = model.types.iter().filter(|(_, ty)| is_object(ty.kind));
    let all = types.flat_map(|(ty, it)| it.fields.keys().map(move |name| (ty, name)));
    all.filter(|(ty, name)| names.contains(*name) && may_break(model, ty, name))
        .map(|(ty, name)| (Arc::clone(ty), Arc::clone(name)))
        .collect()
}

fn add_selected(selections: &[Selection], names: &mut BTreeSet<Name>) {
    for selection in selections {
        if let What::Field { name, .. } = &selection.what {
            names.insert(Arc::clone(name));
        }
        add_selected(&selection.inner, names);
    }
}

fn add_picked(picks: &[Pick], names: &mut BTreeSet<Name>) {
    for pick in picks {
        names.insert(Arc::clone(&pick.field));
        add_picked(&pick.inner, names);
    }
}
