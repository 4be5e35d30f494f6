//! Selection sets as text, and whether two fields may share a response key (GraphQL §5.3.2).

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use schema::types::Name;

/// What is asked of objects at one place.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) type_name: bool,
    pub(super) fields: Vec<Field>,
    pub(super) fragments: Vec<Fragment>,
}

/// What is asked of objects of one type only.
#[derive(Debug)]
pub(super) struct Fragment {
    pub(super) on: Name,
    /// Whether that is an object type to the service.
    pub(super) is_object: bool,
    pub(super) set: Set,
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
    pub(super) when: Option<usize>,
    /// How many fields it is, with all that is inside.
    pub(super) weight: usize,
    /// For composite types.
    pub(super) set: Option<Arc<Set>>,
}

/// Whether sets that were compared before may be merged, by where they stand.
pub(super) type Compared = HashMap<(*const Set, *const Set, Owners), bool>;

/// Whether one object can have both of two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Owners {
    /// Perhaps.
    Same,
    /// Never: they are of different object types.
    Apart,
}

impl Set {
    /// Writes it in braces; there is always something in them.
    pub(super) fn write(&self, conditions: &[String], out: &mut String) {
        out.push('{');
        if self.type_name || (self.fields.is_empty() && self.fragments.is_empty()) {
            out.push_str(" __typename");
        }
        for field in &self.fields {
            out.push(' ');
            field.write(conditions, out);
        }
        for fragment in &self.fragments {
            let _ = write!(out, " ... on {} ", fragment.on);
            fragment.set.write(conditions, out);
        }
        out.push_str(" }");
    }

    /// The same in an order of its own, whatever the client's: equal sets have equal texts. The
    /// condition of a field stands as `@when(n)`.
    pub(super) fn canonical(&self) -> String {
        let fields = self.fields.iter().map(Field::canonical);
        let fragments = self.fragments.iter();
        let fragments =
            fragments.map(|fragment| format!("...on {}{}", fragment.on, fragment.set.canonical()));
        let mut members: Vec<String> = fields.chain(fragments).collect();
        if self.type_name {
            members.push("__typename".to_owned());
        }
        members.sort_unstable();
        members.dedup();
        format!("{{{}}}", members.join(" "))
    }

    /// Every leaf that is asked for, by the way to it.
    pub(super) fn leaves(&self, way: &str, leaves: &mut Vec<Box<str>>) {
        if self.type_name {
            leaves.push(format!("{way}/__typename").into());
        }
        for field in &self.fields {
            let way = format!("{way}/{}", field.head());
            match &field.set {
                Some(set) => set.leaves(&way, leaves),
                None => leaves.push(way.into()),
            }
        }
        for fragment in &self.fragments {
            let way = format!("{way}/...on {}", fragment.on);
            fragment.set.leaves(&way, leaves);
        }
    }

    /// Adds `_entities`, which knows its own arguments.
    pub(super) fn add_entities(&mut self, key: &str, variable: &str, set: Self) {
        self.fields.push(Field {
            key: key.into(),
            name: "_entities".into(),
            arguments: format!("representations: ${variable}"),
            ty: "[_Entity]!".into(),
            when: None,
            weight: 1,
            set: Some(Arc::new(set)),
        });
    }

    /// How many fields are written for it.
    pub(super) fn weight(&self) -> usize {
        let weights = self.all_fields().map(|field| field.weight);
        weights.fold(0, usize::saturating_add)
    }

    fn merges(&self, other: &Self, owners: Owners, compared: &mut Compared) -> bool {
        let pair = (std::ptr::from_ref(self), std::ptr::from_ref(other), owners);
        // Whatever is in one set goes together.
        if pair.0 == pair.1 {
            return true;
        }
        if let Some(known) = compared.get(&pair) {
            return *known;
        }
        let merges = self.scopes().all(|(on, field)| {
            let mut others = other.scopes().filter(|(_, it)| it.key == field.key);
            others.all(|(other_on, other)| {
                let apart = matches!((on, other_on), (Some(a), Some(b)) if a != b);
                let owners = if apart { Owners::Apart } else { owners };
                field.may_share_key(other, owners, compared)
            })
        });
        compared.insert(pair, merges);
        merges
    }

    /// All fields, those in fragments too.
    pub(super) fn all_fields(&self) -> impl Iterator<Item = &Field> {
        self.scopes().map(|(_, field)| field)
    }

    /// All fields, each with the type of the fragment it stands in.
    fn scopes(&self) -> impl Iterator<Item = (Option<&Name>, &Field)> {
        let inside = self.fragments.iter().flat_map(|fragment| {
            let fields = fragment.set.fields.iter();
            fields.map(|field| (Some(&fragment.on), field))
        });
        self.fields.iter().map(|field| (None, field)).chain(inside)
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
        if let Some(condition) = self.when.and_then(|when| conditions.get(when)) {
            let _ = write!(out, " @include(if: ${condition})");
        }
        if let Some(set) = &self.set {
            out.push(' ');
            set.write(conditions, out);
        }
    }

    fn canonical(&self) -> String {
        let mut text = self.head();
        if let Some(set) = &self.set {
            text.push_str(&set.canonical());
        }
        text
    }

    /// The field without what is inside.
    fn head(&self) -> String {
        let mut text = String::new();
        if *self.key != *self.name {
            let _ = write!(text, "{}:", self.key);
        }
        text.push_str(&self.name);
        if !self.arguments.is_empty() {
            let _ = write!(text, "({})", self.arguments);
        }
        if let Some(when) = self.when {
            let _ = write!(text, "@when({when})");
        }
        text
    }

    /// Whether two fields may have one response key.
    pub(super) fn may_share_key(
        &self,
        other: &Self,
        owners: Owners,
        compared: &mut Compared,
    ) -> bool {
        if owners == Owners::Same && (self.name != other.name || self.arguments != other.arguments)
        {
            return false;
        }
        let (shape, named) = shape(&self.ty);
        let (other_shape, other_named) = self::shape(&other.ty);
        shape == other_shape
            && match (&self.set, &other.set) {
                (Some(set), Some(other)) => set.merges(other, owners, compared),
                (None, None) => named == other_named,
                _ => false,
            }
    }
}

/// The lists and non-nulls of a type, and its name.
fn shape(ty: &str) -> (String, &str) {
    let is_wrapper = |char: char| matches!(char, '[' | ']' | '!');
    let wrappers = ty.chars().filter(|char| is_wrapper(*char)).collect();
    (wrappers, ty.trim_matches(is_wrapper))
}
