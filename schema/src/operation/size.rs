//! Sizes of a document's operations with all fragments expanded, counted before any work grows with
//! them.
//!
//! A fragment that is spread twice counts twice, but is visited once: counting is linear in the
//! document, however large the expansion is. Skipped selections count too.

use std::collections::HashMap;

use apollo_compiler::Node;
use apollo_compiler::ast::{
    Definition, Document, Field, FragmentDefinition, OperationDefinition, Selection,
};

use super::{
    OperationError, OperationErrorKind, OperationLimits, RECURSION_LIMIT, locations, too_deep,
};

/// Checks the sizes of all operations in `document`, valid or not.
pub(super) fn check(document: &Document, limits: OperationLimits) -> Result<(), OperationError> {
    let mut counter = Counter {
        fragments: HashMap::new(),
    };
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            let counted = Counted::No(fragment);
            counter.fragments.entry(&fragment.name).or_insert(counted);
        }
    }
    let mut selections: usize = 0;
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            let size = counter.selections(&operation.selection_set, 1);
            selections = selections.saturating_add(size.selections);
            check_operation(size, selections, limits).map_err(|error| OperationError {
                locations: operation_locations(operation, document),
                ..error
            })?;
        }
    }
    check_fragments(&mut counter, document, limits)
}

/// Checks the fragments, also those that no operation spreads: validation follows their spreads.
fn check_fragments<'a>(
    counter: &mut Counter<'a>,
    document: &'a Document,
    limits: OperationLimits,
) -> Result<(), OperationError> {
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            let size = counter.fragment(&fragment.name, 1);
            // Aliases and root fields are those of operations.
            let size = Size {
                aliases: 0,
                top_fields: 0,
                ..size
            };
            check_operation(size, size.selections, limits).map_err(|error| OperationError {
                locations: locations(fragment.location(), &document.sources),
                ..error
            })?;
        }
    }
    Ok(())
}

/// Checks one operation; `selections` is the sum of the operations so far.
fn check_operation(
    size: Size,
    selections: usize,
    limits: OperationLimits,
) -> Result<(), OperationError> {
    if size.levels > RECURSION_LIMIT {
        return Err(too_deep());
    }
    for (count, limit, what, key) in [
        (selections, limits.selections, "selections", "selections"),
        (size.aliases, limits.aliases, "aliases", "aliases"),
        (
            size.top_fields,
            limits.root_fields,
            "root fields",
            "root_fields",
        ),
    ] {
        if count > limit {
            return Err(OperationError {
                kind: OperationErrorKind::Limit,
                message: format!(
                    "the document has more than {limit} {what} after its fragments are expanded \
                     (`limits.{key}`)"
                ),
                locations: Vec::new(),
            });
        }
    }
    Ok(())
}

fn operation_locations(
    operation: &Node<OperationDefinition>,
    document: &Document,
) -> Vec<(usize, usize)> {
    locations(operation.location(), &document.sources)
}

/// The size of a selection set with fragments expanded. Counts saturate.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    /// Fields, spreads and inline fragments, nested ones included.
    selections: usize,
    /// Fields with an alias, nested ones included.
    aliases: usize,
    /// Fields that are not nested in other fields.
    top_fields: usize,
    /// Nested selection sets.
    levels: usize,
}

/// A fragment and whether it is counted.
enum Counted<'a> {
    No(&'a FragmentDefinition),
    /// It is being counted: a spread of it inside is a cycle, which validation reports.
    Begun,
    Yes(Size),
}

struct Counter<'a> {
    fragments: HashMap<&'a str, Counted<'a>>,
}

impl<'a> Counter<'a> {
    /// The size of a selection set at nesting `level`.
    fn selections(&mut self, selections: &'a [Selection], level: usize) -> Size {
        let mut sum = Size::default();
        if selections.is_empty() {
            return sum;
        }
        if level > RECURSION_LIMIT {
            sum.levels = usize::MAX;
            return sum;
        }
        for selection in selections {
            let size = match selection {
                Selection::Field(field) => self.field(field, level),
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.selection_set, level + 1)
                }
                Selection::FragmentSpread(spread) => self.fragment(&spread.fragment_name, level),
            };
            sum.selections = sum
                .selections
                .saturating_add(size.selections)
                .saturating_add(1);
            sum.aliases = sum.aliases.saturating_add(size.aliases);
            sum.top_fields = sum.top_fields.saturating_add(size.top_fields);
            sum.levels = sum.levels.max(size.levels);
        }
        sum.levels = sum.levels.saturating_add(1);
        sum
    }

    fn field(&mut self, field: &'a Field, level: usize) -> Size {
        let nested = self.selections(&field.selection_set, level + 1);
        let has_alias = field.alias.is_some();
        Size {
            aliases: nested.aliases.saturating_add(usize::from(has_alias)),
            top_fields: 1,
            ..nested
        }
    }

    fn fragment(&mut self, name: &'a str, level: usize) -> Size {
        let fragment = match self.fragments.get_mut(name) {
            Some(Counted::Yes(size)) => return *size,
            Some(counted @ Counted::No(_)) => std::mem::replace(counted, Counted::Begun),
            Some(Counted::Begun) | None => return Size::default(),
        };
        let Counted::No(fragment) = fragment else {
            return Size::default();
        };
        let size = self.selections(&fragment.selection_set, level + 1);
        self.fragments.insert(name, Counted::Yes(size));
        size
    }
}
