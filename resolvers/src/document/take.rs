//! What is read of an answer: by response key, and by type where objects may be of several.

use std::sync::Arc;

use schema::types::{Name, TypeId};

use crate::selection::PositionId;

/// What is read of the objects at one place.
#[derive(Debug)]
pub(crate) struct Objects {
    pub(crate) at: PositionId,
    pub(crate) told: Told,
}

/// How it is known of which type an object is.
#[derive(Debug)]
pub(crate) enum Told {
    /// All are of one type; `Some` where that is to be noted.
    Known(Option<TypeId>, Fields),
    /// `__typename` says so.
    Named(Box<[(Name, TypeId, Fields)]>),
    /// Nobody says: the service has an interface as an object.
    Untold(Fields),
}

/// What is read of one object; in the order in which it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Fields(pub(crate) Vec<Member>);

/// A response key, and the slots that it fills.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) key: Arc<str>,
    pub(crate) slots: Vec<(usize, Take)>,
}

/// What is taken of a value.
#[derive(Clone, Debug)]
pub(crate) enum Take {
    /// The whole, inside so many lists.
    Leaf(usize),
    /// Of the object, or of each object of a list.
    Objects(Arc<Objects>),
}
