//! What is read of an answer: by response key, and by type where objects may be of several.

use std::sync::Arc;

use schema::types::{Name, TypeId};

use crate::selection::PositionId;

/// What is read of the objects at one place.
#[derive(Debug)]
pub(crate) struct ObjectShape {
    pub(crate) at: PositionId,
    pub(crate) type_source: TypeSource,
}

/// How it is known of which type an object is.
#[derive(Debug)]
pub(crate) enum TypeSource {
    /// All are of one type; `Some` where that is to be noted.
    Fixed(Option<TypeId>, ResponseFields),
    /// `__typename` says so.
    ByTypename(Box<[(Name, TypeId, ResponseFields)]>),
    /// Nobody says: the service has an interface as an object.
    Unknown(ResponseFields),
}

/// What is read of one object; in the order in which it is asked for.
#[derive(Debug, Default)]
pub(crate) struct ResponseFields(pub(crate) Vec<ResponseField>);

/// A response key, and the slots that it fills.
#[derive(Debug)]
pub(crate) struct ResponseField {
    pub(crate) key: Arc<str>,
    pub(crate) slots: Vec<(usize, ValueShape)>,
}

/// What is taken of a value.
#[derive(Clone, Debug)]
pub(crate) enum ValueShape {
    /// The whole, inside so many lists.
    Leaf(usize),
    /// Of the object, or of each object of a list.
    Objects(Arc<ObjectShape>),
}
