//! Typed indices into a plan, and vectors indexed by them.
//!
//! A fetch and a request are both numbered from 0; their types keep one from indexing the other.

use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// Index of a fetch in `Plan::fetches`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FetchId(usize);

/// Index of a request in `Plan::requests`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PlanRequestId(usize);

/// One value for each fetch of a plan.
pub(crate) type ByFetch<T> = IdVec<FetchId, T>;

/// One value for each request of a plan.
pub(crate) type ByRequest<T> = IdVec<PlanRequestId, T>;

/// Vector that only indices of type `I` can index.
#[derive(Clone, Debug)]
pub(crate) struct IdVec<I, T> {
    values: Vec<T>,
    id: PhantomData<I>,
}

impl FetchId {
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

impl PlanRequestId {
    pub(crate) fn index(self) -> usize {
        self.0
    }

    /// Number of the request in printed plans, traces and operation names, from 1.
    pub(crate) fn number(self) -> usize {
        self.0 + 1
    }
}

impl From<usize> for FetchId {
    fn from(index: usize) -> Self {
        Self(index)
    }
}

impl From<usize> for PlanRequestId {
    fn from(index: usize) -> Self {
        Self(index)
    }
}

impl From<FetchId> for usize {
    fn from(id: FetchId) -> Self {
        id.0
    }
}

impl From<PlanRequestId> for usize {
    fn from(id: PlanRequestId) -> Self {
        id.0
    }
}

impl<I: From<usize>, T> IdVec<I, T> {
    /// Appends a value and returns its index.
    pub(crate) fn push(&mut self, value: T) -> I {
        self.values.push(value);
        I::from(self.values.len() - 1)
    }

    /// All indices, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = I> + use<I, T> {
        (0..self.values.len()).map(I::from)
    }

    /// All values with their indices, in order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (I, &T)> {
        let values = self.values.iter().enumerate();
        values.map(|(index, value)| (I::from(index), value))
    }
}

impl<I: Into<usize>, T> IdVec<I, T> {
    pub(crate) fn get(&self, id: I) -> Option<&T> {
        self.values.get(id.into())
    }

    pub(crate) fn get_mut(&mut self, id: I) -> Option<&mut T> {
        self.values.get_mut(id.into())
    }

    /// Removes a value; the indices of all later ones drop by one.
    pub(crate) fn remove(&mut self, id: I) -> T {
        self.values.remove(id.into())
    }
}

impl<I, T> IdVec<I, T> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.values.iter_mut()
    }
}

impl<I, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            id: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<V: IntoIterator<Item = T>>(values: V) -> Self {
        Self {
            values: values.into_iter().collect(),
            id: PhantomData,
        }
    }
}

impl<I, T> IntoIterator for IdVec<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.into_iter()
    }
}

impl<'v, I, T> IntoIterator for &'v IdVec<I, T> {
    type Item = &'v T;
    type IntoIter = std::slice::Iter<'v, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}

impl<I: Into<usize>, T> Index<I> for IdVec<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.values[id.into()]
    }
}

impl<I: Into<usize>, T> IndexMut<I> for IdVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.values[id.into()]
    }
}
