//! Selection sets as text, and whether two fields may share a response key (GraphQL §5.3.2).

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use schema::types::Name;

/// What is asked of objects at one place.
#[derive(Debug, Default)]
pub(super) struct SelectionSet {
    pub(super) has_typename: bool,
    pub(super) fields: Vec<Field>,
    pub(super) fragments: Vec<Fragment>,
}

/// What is asked of objects of one type only.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) on: Name,
    /// Whether that is an object type to the service.
    pub(super) is_object: bool,
    pub(super) selection_set: SelectionSet,
}

/// A field with its arguments.
#[derive(Debug)]
pub(super) struct Field {
    /// The response key.
    pub(super) key: Arc<str>,
    pub(super) name: Name,
    /// As written between the parentheses.
    pub(super) arguments: String,
    /// The type that the service gives it.
    pub(super) ty: Name,
    /// Which of the document's conditions it depends on.
    pub(super) condition: Option<usize>,
    /// How many fields it is, with all that is inside.
    pub(super) weight: usize,
    /// For composite types.
    pub(super) selection_set: Option<Arc<SelectionSet>>,
}

/// Whether sets that were compared before may be merged, by where they stand.
pub(super) type MergeResults =
    HashMap<(*const SelectionSet, *const SelectionSet, TypeOverlap), bool>;

/// Whether one object can have both of two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TypeOverlap {
    /// Perhaps.
    Possible,
    /// Never: they are of different object types.
    Never,
}

impl SelectionSet {
    /// Writes it in braces; there is always something in them.
    pub(super) fn write(&self, conditions: &[String], out: &mut String) {
        out.push('{');
        if self.has_typename || (self.fields.is_empty() && self.fragments.is_empty()) {
            out.push_str(" __typename");
        }
        for field in &self.fields {
            out.push(' ');
            field.write(conditions, out);
        }
        for fragment in &self.fragments {
            let _ = write!(out, " ... on {} ", fragment.on);
            fragment.selection_set.write(conditions, out);
        }
        out.push_str(" }");
    }

    /// The same in an order of its own, whatever the client's: equal sets have equal texts. The
    /// condition of a field stands as `@when(n)`.
    pub(super) fn canonical(&self) -> String {
        let fields = self.fields.iter().map(Field::canonical);
        let fragments = self.fragments.iter();
        let fragments = fragments.map(|fragment| {
            format!(
                "...on {}{}",
                fragment.on,
                fragment.selection_set.canonical()
            )
        });
        let mut members: Vec<String> = fields.chain(fragments).collect();
        if self.has_typename {
            members.push("__typename".to_owned());
        }
        members.sort_unstable();
        members.dedup();
        format!("{{{}}}", members.join(" "))
    }

    /// Every leaf that is asked for, by the way to it.
    pub(super) fn leaves(&self, path: &str, leaves: &mut Vec<Box<str>>) {
        if self.has_typename {
            leaves.push(format!("{path}/__typename").into());
        }
        for field in &self.fields {
            let path = format!("{path}/{}", field.text_without_set());
            match &field.selection_set {
                Some(set) => set.leaves(&path, leaves),
                None => leaves.push(path.into()),
            }
        }
        for fragment in &self.fragments {
            let path = format!("{path}/...on {}", fragment.on);
            fragment.selection_set.leaves(&path, leaves);
        }
    }

    /// Adds `_entities`, which knows its own arguments.
    pub(super) fn add_entities(&mut self, key: &str, variable: &str, selection_set: Self) {
        self.fields.push(Field {
            key: key.into(),
            name: "_entities".into(),
            arguments: format!("representations: ${variable}"),
            ty: "[_Entity]!".into(),
            condition: None,
            weight: 1,
            selection_set: Some(Arc::new(selection_set)),
        });
    }

    /// How many fields are written for it.
    pub(super) fn weight(&self) -> usize {
        let weights = self.all_fields().map(|field| field.weight);
        weights.fold(0, usize::saturating_add)
    }

    fn is_mergeable(
        &self,
        other: &Self,
        type_overlap: TypeOverlap,
        merge_results: &mut MergeResults,
    ) -> bool {
        let pair = (
            std::ptr::from_ref(self),
            std::ptr::from_ref(other),
            type_overlap,
        );
        // Whatever is in one set goes together.
        if pair.0 == pair.1 {
            return true;
        }
        if let Some(known) = merge_results.get(&pair) {
            return *known;
        }
        let merges = self.scoped_fields().all(|(on, field)| {
            let mut others = other.scoped_fields().filter(|(_, it)| it.key == field.key);
            others.all(|(other_on, other)| {
                let is_disjoint = matches!((on, other_on), (Some(a), Some(b)) if a != b);
                let type_overlap = if is_disjoint {
                    TypeOverlap::Never
                } else {
                    type_overlap
                };
                field.may_share_key(other, type_overlap, merge_results)
            })
        });
        merge_results.insert(pair, merges);
        merges
    }

    /// All fields, those in fragments too.
    pub(super) fn all_fields(&self) -> impl Iterator<Item = &Field> {
        self.scoped_fields().map(|(_, field)| field)
    }

    /// All fields, each with the type of the fragment it stands in.
    fn scoped_fields(&self) -> impl Iterator<Item = (Option<&Name>, &Field)> {
        let in_fragments = self.fragments.iter().flat_map(|fragment| {
            let fields = fragment.selection_set.fields.iter();
            fields.map(|field| (Some(&fragment.on), field))
        });
        self.fields
            .iter()
            .map(|field| (None, field))
            .chain(in_fragments)
    }
}

impl Field {
    fn write(&self, conditions: &[String], out: &mut String) {
        if *self.key != *self.name {
            let _ = write!(out, "{}: ", self.key);
        }
        out.push_str(&self.name);
        if !self.arguments.is_empty() {
            let _ = write!(out, "({})", self.arguments);
        }
        if let Some(condition) = self.condition.and_then(|when| conditions.get(when)) {
            let _ = write!(out, " @include(if: ${condition})");
        }
        if let Some(set) = &self.selection_set {
            out.push(' ');
            set.write(conditions, out);
        }
    }

    fn canonical(&self) -> String {
        let mut text = self.text_without_set();
        if let Some(set) = &self.selection_set {
            text.push_str(&set.canonical());
        }
        text
    }

    /// The field without what is inside.
    fn text_without_set(&self) -> String {
        let mut text = String::new();
        if *self.key != *self.name {
            let _ = write!(text, "{}:", self.key);
        }
        text.push_str(&self.name);
        if !self.arguments.is_empty() {
            let _ = write!(text, "({})", self.arguments);
        }
        if let Some(when) = self.condition {
            let _ = write!(text, "@when({when})");
        }
        text
    }

    /// Whether two fields may have one response key.
    pub(super) fn may_share_key(
        &self,
        other: &Self,
        type_overlap: TypeOverlap,
        merge_results: &mut MergeResults,
    ) -> bool {
        if type_overlap == TypeOverlap::Possible
            && (self.name != other.name || self.arguments != other.arguments)
        {
            return false;
        }
        let (shape, named) = type_wrappers(&self.ty);
        let (other_shape, other_named) = type_wrappers(&other.ty);
        shape == other_shape
            && match (&self.selection_set, &other.selection_set) {
                (Some(set), Some(other)) => set.is_mergeable(other, type_overlap, merge_results),
                (None, None) => named == other_named,
                _ => false,
            }
    }
}

/// The lists and non-nulls of a type, and its name.
fn type_wrappers(ty: &str) -> (String, &str) {
    let is_wrapper = |char: char| matches!(char, '[' | ']' | '!');
    let wrappers = ty.chars().filter(|char| is_wrapper(*char)).collect();
    (wrappers, ty.trim_matches(is_wrapper))
}
