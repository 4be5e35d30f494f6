//! Selection sets as text, and whether two fields may share a response key (GraphQL §5.3.2).

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use schema::types::Name;

/// The fields of the objects at one position.
#[derive(Debug, Default)]
pub(super) struct SelectionSet {
    pub(super) has_typename: bool,
    pub(super) fields: Vec<Field>,
    pub(super) fragments: Vec<Fragment>,
}

/// The fields of objects of one type.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) on: Name,
    /// Whether it is an object type in the subgraph.
    pub(super) is_object: bool,
    pub(super) selection_set: SelectionSet,
}

/// A field with its arguments.
#[derive(Debug)]
pub(super) struct Field {
    /// The response key.
    pub(super) key: Arc<str>,
    pub(super) name: Name,
    /// The text between the parentheses.
    pub(super) arguments: String,
    /// Its type in the subgraph.
    pub(super) ty: Name,
    /// Index of its condition in the document; `None`: always included.
    pub(super) condition: Option<usize>,
    /// Number of fields, including all nested fields.
    pub(super) weight: usize,
    /// `None` for leaf types.
    pub(super) selection_set: Option<Arc<SelectionSet>>,
}

/// Results of `SelectionSet::is_mergeable`, by the addresses of the two sets.
pub(super) type MergeResults =
    HashMap<(*const SelectionSet, *const SelectionSet, TypeOverlap), bool>;

/// Whether two fields may apply to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum TypeOverlap {
    /// They may.
    Possible,
    /// They apply to different object types.
    Never,
}

impl SelectionSet {
    /// Writes the set in braces; an empty set selects `__typename`.
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

    /// The set as sorted text, so that equal sets have equal texts. The condition of a field is
    /// written as `@when(n)`.
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

    /// Adds the paths of all leaves.
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

    /// Adds an `_entities` field.
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

    /// Number of fields, including all nested fields.
    pub(super) fn weight(&self) -> usize {
        let weights = self.all_fields().map(|field| field.weight);
        weights.fold(0, usize::saturating_add)
    }

    /// Whether the fields of two sets that have one response key may be merged.
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
        // The fields of one set do not conflict.
        if pair.0 == pair.1 {
            return true;
        }
        if let Some(known) = merge_results.get(&pair) {
            return *known;
        }
        let is_mergeable = self.scoped_fields().all(|(on, field)| {
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
        merge_results.insert(pair, is_mergeable);
        is_mergeable
    }

    /// All fields, including those of fragments.
    pub(super) fn all_fields(&self) -> impl Iterator<Item = &Field> {
        self.scoped_fields().map(|(_, field)| field)
    }

    /// All fields, each with the type of its fragment.
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
        if let Some(condition) = self.condition.and_then(|index| conditions.get(index)) {
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

    /// The field as text, without its selection set.
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

    /// Whether two fields may have one response key (GraphQL §5.3.2).
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
