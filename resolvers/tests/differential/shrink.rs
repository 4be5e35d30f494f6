//! A failing case → a smaller one that fails in the same way, by removing parts.

use std::sync::Arc;

use crate::check::{Failure, Running, Wrong};
use crate::fault::Faults;
use crate::model::Model;
use crate::operation::{Operation, Selection, What};

mod edit;
mod prune;

/// A failing case.
pub(crate) struct Case {
    pub(crate) model: Model,
    pub(crate) operation: Option<Operation>,
    /// The faults of its parts; `None` if it has none to compare.
    pub(crate) faults: Option<Faults>,
    pub(crate) failure: Failure,
    /// Number of smaller cases that may still be tried.
    pub(crate) left: usize,
}

/// Maximum number of smaller cases to try, far more than any case has needed.
pub(crate) const TRIES: usize = 4000;

impl Case {
    /// The smallest case that is found.
    pub(crate) fn shrunk(mut self) -> Self {
        if self.failure.what == Wrong::Sdl {
            return self; // An empty graph would fail as well.
        }
        loop {
            let before = self.left;
            let smaller = self.shrink_faults() | self.shrink_operation() | self.shrink_model();
            if !smaller || self.left == 0 || self.left == before {
                return self;
            }
        }
    }

    /// Removes parts of the operation; returns whether any could be removed.
    fn shrink_operation(&mut self) -> bool {
        let mut found = false;
        let Some(mut running) = self.operation.as_ref().and_then(|_| self.running()) else {
            return false;
        };
        'again: while let Some(operation) = &self.operation {
            for smaller in smaller_operations(operation) {
                if self.left == 0 {
                    return found;
                }
                self.left -= 1;
                if !running.is_valid(&smaller) {
                    continue;
                }
                if let Some(failure) =
                    self.same(running.compared(&smaller, self.faults.as_ref()).err())
                {
                    if failure.what == Wrong::Panic {
                        // A panic may leave broken state behind.
                        running = match self.running() {
                            Some(running) => running,
                            None => return found,
                        };
                    }
                    self.failure = failure;
                    self.operation = Some(smaller);
                    found = true;
                    continue 'again;
                }
            }
            break;
        }
        found
    }

    /// Removes faults; returns whether any could be removed.
    fn shrink_faults(&mut self) -> bool {
        let mut found = false;
        let Some(running) = self.running() else {
            return false;
        };
        'again: while let (Some(operation), Some(faults)) = (&self.operation, &self.faults) {
            for smaller in faults.smaller() {
                if self.left == 0 {
                    return found;
                }
                self.left -= 1;
                let failure = running.compared(operation, Some(&smaller)).err();
                if let Some(failure) = self.same(failure) {
                    self.failure = failure;
                    self.faults = Some(smaller);
                    found = true;
                    continue 'again;
                }
            }
            break;
        }
        found
    }

    fn running(&self) -> Option<Running> {
        Running::new(self.model.clone()).ok()
    }

    /// The failure, if it is of the same kind as that of the case.
    fn same(&self, failure: Option<Failure>) -> Option<Failure> {
        failure.filter(|failure| {
            let first = |text: &str| text.lines().next().map(str::to_owned);
            failure.what == self.failure.what
                && (failure.what != Wrong::Link
                    || first(&failure.text) == first(&self.failure.text))
        })
    }

    /// Removes parts of the graph; returns whether any could be removed.
    fn shrink_model(&mut self) -> bool {
        let mut found = false;
        'again: loop {
            for edit in edit::edits(&self.model) {
                if self.left == 0 {
                    return found;
                }
                self.left -= 1;
                let mut model = self.model.clone();
                edit.apply(&mut model);
                prune::prune(&mut model);
                let faults = self.faults.as_ref().map(|faults| faults.pruned(&model));
                let failure = match (Running::new(model.clone()), &self.operation) {
                    (Err(failure), _) => Some(failure),
                    (Ok(running), Some(operation)) if running.is_valid(operation) => {
                        running.compared(operation, faults.as_ref()).err()
                    }
                    (Ok(_), _) => None,
                };
                if let Some(failure) = self.same(failure) {
                    self.failure = failure;
                    self.model = model;
                    self.faults = faults;
                    found = true;
                    continue 'again;
                }
            }
            return found;
        }
    }
}

/// Operations with one part less.
fn smaller_operations(operation: &Operation) -> Vec<Operation> {
    let mut smaller = Vec::new();
    for selections in lists(&operation.selections) {
        smaller.push(Operation {
            selections,
            ..operation.clone()
        });
    }
    for (name, fragment) in &operation.fragments {
        for selections in lists(&fragment.selections) {
            let mut operation = operation.clone();
            operation.fragments[name].selections = selections;
            smaller.push(operation);
        }
        let mut inlined = operation.clone();
        let inline = |selection: &mut Selection| {
            if matches!(&selection.what, What::Spread(spread) if spread == name) {
                selection.what = What::Inline(Some(Arc::clone(&fragment.on)));
                selection.inner.clone_from(&fragment.selections);
            }
        };
        inlined.fragments.shift_remove(name);
        each(&mut inlined.selections, &inline);
        for other in inlined.fragments.values_mut() {
            each(&mut other.selections, &inline);
        }
        smaller.push(inlined);
    }
    smaller
}

fn each(selections: &mut [Selection], change: &dyn Fn(&mut Selection)) {
    for selection in selections {
        change(selection);
        each(&mut selection.inner, change);
    }
}

/// Lists with one part less, the largest parts first.
fn lists(selections: &[Selection]) -> Vec<Vec<Selection>> {
    let mut smaller = Vec::new();
    for index in 0..selections.len() {
        if selections.len() > 1 {
            let mut without = selections.to_vec();
            without.remove(index);
            smaller.push(without);
        }
    }
    for (index, selection) in selections.iter().enumerate() {
        if let What::Inline(_) = selection.what {
            let mut opened = selections.to_vec();
            opened.splice(index..=index, selection.inner.iter().cloned());
            smaller.push(opened);
        }
        for one in singles(selection) {
            let mut changed = selections.to_vec();
            changed[index] = one;
            smaller.push(changed);
        }
    }
    smaller
}

/// Selections with one part less.
fn singles(selection: &Selection) -> Vec<Selection> {
    let mut smaller = Vec::new();
    let mut plain = selection.clone();
    if !plain.conditions.is_empty() {
        plain.conditions.clear();
        smaller.push(plain);
    }
    if let What::Field {
        alias, arguments, ..
    } = &selection.what
    {
        if !arguments.is_empty() {
            let mut plain = selection.clone();
            if let What::Field { arguments, .. } = &mut plain.what {
                arguments.pop();
            }
            smaller.push(plain);
        }
        if alias.is_some() {
            let mut plain = selection.clone();
            if let What::Field { alias, .. } = &mut plain.what {
                *alias = None;
            }
            smaller.push(plain);
        }
    }
    for inner in lists(&selection.inner) {
        smaller.push(Selection {
            inner,
            ..selection.clone()
        });
    }
    smaller
}
