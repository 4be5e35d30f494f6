//! The shape of a subgraph's `data`: slots by response key, and by type where a position has several.

use std::sync::Arc;

use schema::types::{Name, TypeId};

use crate::selection::PositionId;

/// The fields that are read from the objects at one position.
#[derive(Debug)]
pub(crate) struct ObjectShape {
    pub(crate) at: PositionId,
    pub(crate) type_source: TypeSource,
}

/// Source of the type of an object.
#[derive(Debug)]
pub(crate) enum TypeSource {
    /// All objects have one type; `Some` if the tree records it, because the position is abstract.
    Fixed(Option<TypeId>, ResponseFields),
    /// The `__typename` of each object.
    ByTypename(Box<[(Name, TypeId, ResponseFields)]>),
    /// The response does not name it: the subgraph has the interface as an object type.
    Unknown(ResponseFields),
}

impl ObjectShape {
    /// The fields of objects of all types.
    pub(crate) fn all_fields(&self) -> impl Iterator<Item = &ResponseField> {
        let by_type = match &self.type_source {
            TypeSource::Fixed(_, fields) | TypeSource::Unknown(fields) => vec![fields],
            TypeSource::ByTypename(types) => types.iter().map(|(_, _, fields)| fields).collect(),
        };
        by_type
            .into_iter()
            .flat_map(|ResponseFields(fields)| fields)
    }
}

/// The fields of one object, in the order of the request.
#[derive(Debug, Default)]
pub(crate) struct ResponseFields(pub(crate) Vec<ResponseField>);

/// A response key and the slots that its value fills.
#[derive(Debug)]
pub(crate) struct ResponseField {
    pub(crate) key: Arc<str>,
    pub(crate) slots: Vec<(usize, ValueShape)>,
}

/// How a value is read.
#[derive(Clone, Debug)]
pub(crate) enum ValueShape {
    /// A leaf, nested in this number of lists.
    Leaf(usize),
    /// An object, or objects in lists of any depth.
    Objects(Arc<ObjectShape>),
}
