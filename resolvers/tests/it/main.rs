//! Operations over the shop's graph and over small graphs of their own: plans, calls, answers.

mod canned;
mod faults;
mod plans;
mod refusals;
mod shop;
mod support;
mod values;
