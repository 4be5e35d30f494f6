//! Metrics in the text format of Prometheus.
//!
//! Other modules count; this one only names the metrics. Names must not change, because dashboards
//! and alerts depend on them.

use std::fmt::{Display, Write as _};

use std::time::Duration;

use resolvers::SourceLoad;
use resolvers::cache::{AGE_BOUNDS, Cache, Counts, LATENCY_BOUNDS, TypeCounts};

use crate::app::App;
use crate::respond::warning_log::WarningCount;

/// All metrics; those of the cache only if there is one.
pub(crate) fn prometheus_text(app: &App, cache: Option<&Cache>) -> String {
    let engine = &app.engine;
    let mut page = Page::default();
    page.counter(
        "weir_incomplete_plans_total",
        "Plans for which the planner reached the limit of its search.",
        &[("", engine.incomplete_plans())],
    );
    let usage = engine.operation_cache_usage();
    page.gauge(
        "weir_operation_cache_bytes",
        "Estimated bytes of cached prepared operations.",
        usage.bytes,
    );
    page.gauge(
        "weir_operation_cache_operations",
        "Cached prepared operations.",
        usage.operations as u64,
    );
    write_sources(&engine.source_load(), &mut page);
    write_warnings(&app.warnings.counts(), &mut page);
    if let Some(cache) = cache {
        write_cache(cache, &mut page);
    }
    page.0
}

fn write_sources(sources: &[SourceLoad], page: &mut Page) {
    let samples = |count: fn(&SourceLoad) -> u64| -> Vec<(String, u64)> {
        let sources = sources.iter();
        let sources = sources.map(|it| (format!("source=\"{}\"", escaped(&it.source)), count(it)));
        sources.collect()
    };
    page.labelled(
        ("weir_source_calls_in_flight", "gauge"),
        "Calls to a source that are in flight.",
        &samples(|source| source.in_flight as u64),
    );
    page.labelled(
        ("weir_source_calls_queued", "gauge"),
        "Calls to a source that wait for one in flight to end.",
        &samples(|source| source.queued as u64),
    );
    page.labelled(
        ("weir_source_calls_refused_total", "counter"),
        "Calls to a source that failed because its queue was full.",
        &samples(|source| source.refused),
    );
}

fn write_warnings(counts: &[WarningCount], page: &mut Page) {
    let samples = counts.iter().map(|count| {
        let connector = escaped(&count.coordinate);
        let labels = format!("connector=\"{connector}\",kind=\"{}\"", count.kind);
        (labels, count.responses)
    });
    page.labelled(
        ("weir_connector_warnings_total", "counter"),
        "Responses to a connector that were mapped, but are probably not what it expects.",
        &samples.collect::<Vec<_>>(),
    );
}

fn write_cache(cache: &Cache, page: &mut Page) {
    let counts = cache.counts();
    write_lookups(&counts, page);
    write_responses(&counts, page);
    write_waits(&counts, page);
    write_type_lookups(&cache.counts_by_type(), page);
    page.histogram(
        "weir_cache_age_seconds",
        "Age of cached values that were returned.",
        &Histogram {
            bounds: &AGE_BOUNDS,
            buckets: &counts.ages,
            sum_micros: counts.age_micros,
        },
    );
    let (bytes, entries) = cache.memory_usage();
    write_memory(&counts, bytes, entries, page);
    write_invalidations(&counts, page);
    if let Some(connection) = cache.connection_status() {
        write_redis(&counts, *connection.borrow(), page);
    }
}

fn write_lookups(counts: &Counts, page: &mut Page) {
    page.counter(
        "weir_cache_lookups_total",
        "Cache lookups by result.",
        &[
            ("result=\"memory\"", counts.memory_hits),
            ("result=\"redis\"", counts.redis_hits),
            ("result=\"stale\"", counts.stale_hits),
            ("result=\"negative\"", counts.negative_hits),
            ("result=\"miss\"", counts.misses),
            ("result=\"uncacheable\"", counts.uncacheable),
        ],
    );
}

fn write_responses(counts: &Counts, page: &mut Page) {
    page.counter(
        "weir_cache_responses_total",
        "Lookups of whole responses that were requested before, by result.",
        &[
            ("result=\"memory\"", counts.assembled_memory_hits),
            ("result=\"redis\"", counts.assembled_redis_hits),
            ("result=\"flight\"", counts.assembled_waits),
            ("result=\"miss\"", counts.assembled_misses),
        ],
    );
}

fn write_waits(counts: &Counts, page: &mut Page) {
    page.counter(
        "weir_cache_waits_total",
        "Lookups that waited for a fetch in flight, by where the fetch ran.",
        &[
            ("for=\"process\"", counts.waits_process),
            ("for=\"fleet\"", counts.waits_fleet),
        ],
    );
    page.counter(
        "weir_cache_waits_in_vain_total",
        "Waits for a fetch in flight that ended without a value.",
        &[("", counts.waits_failed)],
    );
    page.counter(
        "weir_cache_renewals_total",
        "Background refreshes of stale values that were started.",
        &[("", counts.refreshes)],
    );
    page.counter(
        "weir_cache_background_dropped_total",
        "Background refreshes that were skipped because too many were running.",
        &[("", counts.background_dropped)],
    );
}

fn write_type_lookups(types: &[TypeCounts], page: &mut Page) {
    let samples: Vec<(String, u64)> = types.iter().flat_map(type_samples).collect();
    page.labelled(
        ("weir_cache_type_lookups_total", "counter"),
        "Cache lookups of operations by subgraph, type and result.",
        &samples,
    );
}

fn type_samples(counts: &TypeCounts) -> [(String, u64); 5] {
    let results = [
        ("memory", counts.memory),
        ("redis", counts.redis),
        ("stale", counts.stale),
        ("negative", counts.negative),
        ("miss", counts.misses),
    ];
    let subgraph = escaped(&counts.subgraph);
    let type_name = &counts.type_name;
    results.map(|(result, count)| {
        let labels = format!("subgraph=\"{subgraph}\",type=\"{type_name}\",result=\"{result}\"");
        (labels, count)
    })
}

fn write_memory(counts: &Counts, bytes: u64, entries: usize, page: &mut Page) {
    page.gauge(
        "weir_cache_memory_bytes",
        "Bytes of cache entries in the memory of this process.",
        bytes,
    );
    page.gauge(
        "weir_cache_memory_entries",
        "Cache entries in the memory of this process.",
        entries as u64,
    );
    page.counter(
        "weir_cache_puts_total",
        "Values that were stored in the cache.",
        &[("", counts.stores)],
    );
    page.counter(
        "weir_cache_evictions_total",
        "Values that were evicted from memory.",
        &[("", counts.evictions)],
    );
}

fn write_invalidations(counts: &Counts, page: &mut Page) {
    page.counter(
        "weir_cache_invalidations_total",
        "Invalidated tags: requested from this process, and received through Redis (own ones included).",
        &[
            ("from=\"this_process\"", counts.invalidations),
            ("from=\"redis\"", counts.invalidations_received),
        ],
    );
}

fn write_redis(counts: &Counts, is_up: bool, page: &mut Page) {
    page.gauge(
        "weir_cache_redis_up",
        "Whether Redis is connected.",
        u64::from(is_up),
    );
    page.histogram(
        "weir_cache_redis_seconds",
        "Duration of calls to Redis.",
        &Histogram {
            bounds: &LATENCY_BOUNDS,
            buckets: &counts.redis_time,
            sum_micros: counts.redis_micros,
        },
    );
    page.counter(
        "weir_cache_redis_failures_total",
        "Calls to Redis that failed, timed out, or were skipped by the circuit breaker.",
        &[
            ("reason=\"error\"", counts.redis_errors),
            ("reason=\"timeout\"", counts.redis_timeouts),
            ("reason=\"skipped\"", counts.redis_skipped),
        ],
    );
    page.counter(
        "weir_cache_redis_breaker_total",
        "State changes of the circuit breaker for Redis.",
        &[
            ("to=\"open\"", counts.breaker_opened),
            ("to=\"closed\"", counts.breaker_closed),
        ],
    );
    write_redis_traffic(counts, page);
    write_events(counts, page);
}

fn write_redis_traffic(counts: &Counts, page: &mut Page) {
    page.counter(
        "weir_cache_redis_connects_total",
        "Connections to Redis that were opened for requests.",
        &[("", counts.connects)],
    );
    page.counter(
        "weir_cache_redis_writes_total",
        "Values written to Redis, and values dropped because the queue was full or Redis failed.",
        &[
            ("result=\"written\"", counts.writes),
            ("result=\"dropped\"", counts.writes_dropped),
        ],
    );
    page.counter(
        "weir_cache_redis_undecodable_total",
        "Values and messages in Redis that could not be decoded.",
        &[("", counts.undecodable)],
    );
    page.counter(
        "weir_cache_invalidations_late_total",
        "Invalidated tags that could not be sent to Redis immediately.",
        &[("", counts.invalidations_deferred)],
    );
    page.counter(
        "weir_cache_listens_total",
        "Subscriptions to invalidations of other replicas that were started.",
        &[("", counts.feed_connects)],
    );
}

fn write_events(counts: &Counts, page: &mut Page) {
    page.counter(
        "weir_cache_events_total",
        "Change events that this process handled.",
        &[("", counts.events)],
    );
    page.counter(
        "weir_cache_events_malformed_total",
        "Change events that were at least partly invalid.",
        &[("", counts.events_malformed)],
    );
    page.counter(
        "weir_cache_events_claimed_total",
        "Change events that were claimed from another process.",
        &[("", counts.events_claimed)],
    );
    page.counter(
        "weir_cache_events_interrupted_total",
        "Interruptions of reading change events.",
        &[("", counts.event_errors)],
    );
}

/// A label's value: names of subgraphs in a supergraph may contain quotes.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The counts of one histogram; the last bucket has no bound.
struct Histogram<'a> {
    bounds: &'a [Duration],
    buckets: &'a [u64],
    sum_micros: u64,
}

#[derive(Default)]
struct Page(String);

impl Page {
    /// Writes one sample for each set of labels.
    fn counter(&mut self, name: &str, help: &str, samples: &[(&str, u64)]) {
        self.write_header(name, help, "counter");
        for (labels, value) in samples {
            self.write_sample(name, labels, value);
        }
    }

    /// Writes one sample for each set of labels of a metric with this name and kind.
    fn labelled(&mut self, metric: (&str, &str), help: &str, samples: &[(String, u64)]) {
        let (name, kind) = metric;
        self.write_header(name, help, kind);
        for (labels, value) in samples {
            self.write_sample(name, labels, value);
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.write_header(name, help, "gauge");
        self.write_sample(name, "", &value);
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram<'_>) {
        self.write_header(name, help, "histogram");
        let mut count = 0;
        let bucket = format!("{name}_bucket");
        let bounds = histogram.bounds.iter();
        let bounds = bounds.map(|bound| bound.as_secs_f64().to_string());
        for (bound, samples) in bounds.chain(["+Inf".to_owned()]).zip(histogram.buckets) {
            // Buckets of Prometheus are cumulative.
            count += samples;
            self.write_sample(&bucket, &format!("le=\"{bound}\""), &count);
        }
        let sum = Duration::from_micros(histogram.sum_micros);
        self.write_sample(&format!("{name}_sum"), "", &sum.as_secs_f64());
        self.write_sample(&format!("{name}_count"), "", &count);
    }

    fn write_header(&mut self, name: &str, help: &str, kind: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn write_sample(&mut self, name: &str, labels: &str, value: &impl Display) {
        let _ = match labels {
            "" => writeln!(self.0, "{name} {value}"),
            _ => writeln!(self.0, "{name}{{{labels}}} {value}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_buckets_are_cumulative() {
        let mut page = Page::default();
        let histogram = Histogram {
            bounds: &LATENCY_BOUNDS,
            buckets: &[1, 2, 0, 0, 0, 0, 0, 3, 4],
            sum_micros: 1_500_000,
        };

        page.histogram("weir_cache_redis_seconds", "", &histogram);

        let lines: Vec<&str> = page.0.lines().collect();
        assert_eq!(lines[1], "# TYPE weir_cache_redis_seconds histogram");
        assert_eq!(
            lines[2],
            "weir_cache_redis_seconds_bucket{le=\"0.00025\"} 1"
        );
        assert_eq!(lines[3], "weir_cache_redis_seconds_bucket{le=\"0.0005\"} 3");
        assert_eq!(lines[9], "weir_cache_redis_seconds_bucket{le=\"0.05\"} 6");
        assert_eq!(lines[10], "weir_cache_redis_seconds_bucket{le=\"+Inf\"} 10");
        assert_eq!(lines[11], "weir_cache_redis_seconds_sum 1.5");
        assert_eq!(lines[12], "weir_cache_redis_seconds_count 10");
    }
}
