//! Operations over the shop's graph and over small graphs of their own: plans, calls, answers.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod audit;
mod audit_live;
mod batches;
mod canned;
mod contexts;
mod documents;
mod faults;
mod federated_plans;
mod federation;
mod kept;
mod kept_entities;
mod kept_model;
mod kept_service;
mod kept_truth;
mod lists;
mod loader;
mod loader_service;
mod plans;
mod progressive;
mod reach;
mod refusals;
mod services;
mod shop;
mod support;
mod trial;
mod values;
