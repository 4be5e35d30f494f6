//! The checks of the fuzz targets; the corpus replay in `schema/tests` runs them too.

#[path = "../../schema/tests/corpus/check.rs"]
pub mod check;
