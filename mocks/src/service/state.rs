//! Counters, faults and `Cache-Control` overrides of a service, by route.
//!
//! Counting takes one atomic addition.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::StatusCode;

use super::fault::Fault;
use super::route_overrides::RouteOverrides;
use crate::http::{Lifetime, Route};

/// The counters and overrides of one service.
#[derive(Debug)]
pub(crate) struct ServiceState {
    service: &'static str,
    /// One counter for each route, in the order of the routes; the last is for unmatched calls.
    counters: Vec<Counter>,
    /// Injected faults.
    pub(super) faults: RouteOverrides<Fault>,
    /// `Cache-Control` values that replace the defaults.
    pub(super) lifetimes: RouteOverrides<Lifetime>,
}

#[derive(Debug)]
struct Counter {
    route: String,
    calls: AtomicU64,
    /// The value of `calls` at the last reset.
    calls_at_reset: AtomicU64,
    /// Responses by class: 1xx, 2xx, …, 5xx.
    responses: [AtomicU64; 5],
}

/// One line of `/metrics`.
#[derive(Debug)]
struct Sample<'a> {
    metric: &'static str,
    route: &'a str,
    class: Option<&'static str>,
    value: u64,
}

impl ServiceState {
    /// Counters at zero, without overrides.
    pub(super) fn new<E>(service: &'static str, routes: &[Route<E>]) -> Self {
        let named = routes
            .iter()
            .map(|route| format!("{} {}", route.method, route.pattern));
        let counters = named
            .chain([UNMATCHED.to_owned()])
            .map(Counter::new)
            .collect();
        Self {
            service,
            counters,
            faults: RouteOverrides::default(),
            lifetimes: RouteOverrides::default(),
        }
    }

    pub(super) fn service(&self) -> &'static str {
        self.service
    }

    /// The names of the routes, without the counter for unmatched calls.
    pub(super) fn routes(&self) -> impl Iterator<Item = &str> {
        let named = self.counters.len() - 1;
        self.counters
            .iter()
            .take(named)
            .map(|counter| counter.route.as_str())
    }

    /// Index of the counter for calls without a route.
    pub(super) fn unmatched(&self) -> usize {
        self.counters.len() - 1
    }

    pub(super) fn index_of(&self, route: &str) -> Option<usize> {
        self.counters
            .iter()
            .position(|counter| counter.route == route)
    }

    pub(super) fn count_call(&self, index: usize) {
        if let Some(counter) = self.counters.get(index) {
            counter.calls.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn count_response(&self, index: usize, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        let responses = self
            .counters
            .get(index)
            .and_then(|counter| counter.responses.get(class));
        if let Some(responses) = responses {
            responses.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.counters.iter().map(Counter::since_reset).sum()
    }

    pub(super) fn calls_at(&self, index: usize) -> u64 {
        self.counters.get(index).map_or(0, Counter::since_reset)
    }

    /// The calls of each route and of unmatched calls; the total is their sum.
    pub(super) fn calls_by_route(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counters
            .iter()
            .map(|counter| (counter.route.as_str(), counter.since_reset()))
    }

    pub(super) fn reset_calls(&self) {
        for counter in &self.counters {
            let calls = counter.calls.load(Ordering::Relaxed);
            counter.calls_at_reset.store(calls, Ordering::Relaxed);
        }
    }

    pub(super) fn route_name(&self, index: usize) -> &str {
        self.counters
            .get(index)
            .map_or(UNMATCHED, |counter| counter.route.as_str())
    }

    /// The counters since the start, in the text format of Prometheus.
    pub(super) fn metrics(&self) -> String {
        let mut text = String::new();
        text.push_str("# HELP shop_calls_total Calls received, by route.\n");
        text.push_str("# TYPE shop_calls_total counter\n");
        for counter in &self.counters {
            let calls = counter.calls.load(Ordering::Relaxed);
            let sample = Sample {
                metric: "shop_calls_total",
                route: &counter.route,
                class: None,
                value: calls,
            };
            self.write_sample(&mut text, &sample);
        }
        text.push_str("# HELP shop_answers_total Responses sent, by route and class of status.\n");
        text.push_str("# TYPE shop_answers_total counter\n");
        for counter in &self.counters {
            for (class, responses) in CLASSES.into_iter().zip(&counter.responses) {
                let count = responses.load(Ordering::Relaxed);
                if count > 0 {
                    let sample = Sample {
                        metric: "shop_answers_total",
                        route: &counter.route,
                        class: Some(class),
                        value: count,
                    };
                    self.write_sample(&mut text, &sample);
                }
            }
        }
        text
    }

    fn write_sample(&self, text: &mut String, sample: &Sample<'_>) {
        let service = self.service;
        let Sample { metric, route, .. } = sample;
        // Writing into a `String` does not fail.
        let _ = write!(text, "{metric}{{service=\"{service}\",route=\"{route}\"");
        if let Some(class) = sample.class {
            let _ = write!(text, ",class=\"{class}\"");
        }
        let _ = writeln!(text, "}} {}", sample.value);
    }
}

impl Counter {
    fn new(route: String) -> Self {
        Self {
            route,
            calls: AtomicU64::new(0),
            calls_at_reset: AtomicU64::new(0),
            responses: [const { AtomicU64::new(0) }; 5],
        }
    }

    fn since_reset(&self) -> u64 {
        let calls = self.calls.load(Ordering::Relaxed);
        calls.saturating_sub(self.calls_at_reset.load(Ordering::Relaxed))
    }
}

const UNMATCHED: &str = "unmatched";
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
