//! Operations over the shop's graph and over small graphs of their own: plans, calls, answers.

mod faults;
mod plans;
mod shop;
mod support;
