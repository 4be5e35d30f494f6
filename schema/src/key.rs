//! Keys, requirements and context arguments: the data that a source needs to return an object.

use crate::input::Argument;
use crate::types::{Name, TypeId};

/// A field of an object that a source requires (`@requires`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The type condition, which may be abstract; `None` for all objects.
    pub on: Option<TypeId>,
    /// The field's name.
    pub field: Name,
    /// Its arguments, all of them constant.
    pub arguments: Vec<(Name, Argument)>,
    /// Required fields of its value; empty for leaves.
    pub inner: Vec<Self>,
}

impl Requirement {
    /// A field of a key with its nested fields, as a requirement.
    pub fn from_key_field(field: &Name, inner: &FieldSet) -> Self {
        Self {
            on: None,
            field: Name::clone(field),
            arguments: Vec::new(),
            inner: (inner.0.iter())
                .map(|(field, inner)| Self::from_key_field(field, inner))
                .collect(),
        }
    }
}

/// An argument whose value comes from an ancestor object (`@fromContext`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ContextArgument {
    /// The argument's name.
    pub argument: Name,
    /// Its type in the source's own SDL.
    pub ty: Name,
    /// The object types that set the context, each with the field that provides the value.
    pub setters: Vec<(TypeId, Requirement)>,
}

/// A field set: fields of an object and their nested fields: `id`, `id address { city }`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSet(pub Vec<(Name, Self)>);

impl FieldSet {
    /// Parses `id address { city }`; `None` for other syntax and for nesting over the maximum.
    pub fn parse(text: &str) -> Option<Self> {
        let spaced = text.replace('{', " { ").replace('}', " } ");
        let mut open = vec![Self::default()];
        for word in spaced
            .split([' ', '\n', '\r', '\t', ','])
            .filter(|word| !word.is_empty())
        {
            match word {
                "{" if open.len() < MAX_NESTING => open.push(Self::default()),
                "{" => return None,
                "}" => {
                    let inner = open.pop()?;
                    open.last_mut()?.0.last_mut()?.1 = inner;
                }
                name => open.last_mut()?.0.push((name.into(), Self::default())),
            }
        }
        let whole = open.pop()?;
        (open.is_empty() && !whole.is_empty()).then_some(whole)
    }

    /// Whether it has no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The nested fields of `name`, which is added if missing.
    pub fn insert(&mut self, name: &str) -> &mut Self {
        let index = self
            .0
            .iter()
            .position(|(known, _)| known.as_ref() == name)
            .unwrap_or_else(|| {
                self.0.push((name.into(), Self::default()));
                self.0.len() - 1
            });
        &mut self.0[index].1
    }

    /// The fields sorted by name, so that sets with the same fields compare equal.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let fields = self.0.iter();
        let mut fields: Vec<_> = fields
            .map(|(name, inner)| (Name::clone(name), inner.sorted()))
            .collect();
        fields.sort_by(|one, two| one.0.cmp(&two.0));
        Self(fields)
    }

    /// Whether every field of `self` is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|(name, inner)| {
            other
                .0
                .iter()
                .any(|(known, deeper)| known == name && inner.is_subset(deeper))
        })
    }
}

/// Maximum nesting in levels; dropping and comparing a set is recursive.
const MAX_NESTING: usize = 64;

impl std::fmt::Display for FieldSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (name, inner)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
            if !inner.is_empty() {
                write!(f, " {{ {inner} }}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_field_set_parses_to_itself() {
        for text in ["id", "id sku", "id address { city country { code } } name"] {
            assert_eq!(FieldSet::parse(text).unwrap().to_string(), text);
        }
        let mixed = FieldSet::parse("sku id region { name code }").unwrap();
        assert_eq!(mixed.sorted().to_string(), "id region { code name } sku");
        for text in ["", "{ id }", "id {", "id }"] {
            assert_eq!(FieldSet::parse(text), None, "{text}");
        }
        assert_eq!(FieldSet::parse(&"a {".repeat(1_000_000)), None);
    }
}
