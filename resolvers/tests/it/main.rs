//! Operations over the shop's graph and over small graphs of their own: plans, calls, answers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod batches;
mod canned;
mod faults;
mod plans;
mod refusals;
mod shop;
mod support;
mod trial;
mod values;
