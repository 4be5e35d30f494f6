//! Response bodies of sources, read into rows of the tree.
//!
//! `mapping` compiles a connector's mapping for a fetch, and `rows` reads a body by it; `narrow` reduces a mapping for reports. `shape`
//! describes the `data` of a subgraph, and `read` reads a body by it, merging into the values that
//! other fetches wrote. Both leave leaves in the body.

pub(crate) mod mapping;
pub(crate) mod narrow;
pub(crate) mod read;
pub(crate) mod rows;
pub(crate) mod shape;
pub(crate) mod validity;

/// The index of the member that `is_match` accepts, searched from `next` on, then before it:
/// sources mostly return the members of an object in the order of the request.
fn position<T>(members: &[T], next: usize, is_match: impl Fn(&T) -> bool) -> Option<usize> {
    let (before, after) = members.split_at(next.min(members.len()));
    let behind = after.iter().position(&is_match);
    behind
        .map(|index| index + before.len())
        .or_else(|| before.iter().position(&is_match))
}
