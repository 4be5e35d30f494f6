//! The table of the comparison of caches.

use std::time::Duration;

use super::contender::Contender;
use crate::report::{Sample, median};

/// One measurement of one gateway.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measurement {
    pub(super) sample: Sample,
    /// CPU time of Redis meanwhile, in seconds.
    pub(super) redis_cpu_seconds: f64,
}

/// All measurements of one gateway.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) contender: Contender,
    /// One measurement for each round; at least one.
    pub(super) measurements: Vec<Measurement>,
    /// Peak resident memory of the process, in KiB.
    pub(super) peak_kibibytes: u64,
}

/// The medians of all rows in Markdown.
pub(super) fn markdown(rows: &[Row]) -> String {
    rows.iter()
        .fold(HEAD.to_owned(), |table, row| table + &markdown_row(row))
}

const HEAD: &str = "\
| gateway | CPU ms/request | least–most | Redis CPU ms/request | requests/s | p50 ms | p99 ms | calls/request | peak MiB |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

fn markdown_row(row: &Row) -> String {
    let median =
        |measure: fn(&Measurement) -> f64| median(row.measurements.iter().map(measure).collect());
    let all = row
        .measurements
        .iter()
        .map(|measurement| measurement.sample.cpu_per_request());
    let (least, most) = all.fold((f64::INFINITY, 0.0_f64), |(least, most), cpu| {
        (cpu.min(least), cpu.max(most))
    });
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let peak = row.peak_kibibytes as f64 / 1024.0;
    format!(
        "| {} | {:.3} | {least:.3}–{most:.3} | {:.3} | {:.0} | {:.2} | {:.2} | {:.2} | {peak:.1} |\n",
        row.contender.name(),
        median(|measurement| measurement.sample.cpu_per_request()),
        median(|measurement| measurement.redis_cpu_seconds * 1000.0 / measurement.sample.requests),
        median(|measurement| measurement.sample.requests / measurement.sample.seconds),
        median(|measurement| milliseconds(measurement.sample.p50)),
        median(|measurement| milliseconds(measurement.sample.p99)),
        median(|measurement| measurement.sample.calls / measurement.sample.requests),
    )
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_medians_and_the_cpu_time_of_redis() {
        let measurement = |cpu: f64, redis_cpu_seconds: f64| Measurement {
            sample: Sample {
                requests: 1000.0,
                seconds: 2.0,
                cpu,
                p50: Duration::from_micros(1500),
                p99: Duration::from_millis(4),
                calls: 0.0,
            },
            redis_cpu_seconds,
        };
        let row = Row {
            contender: Contender::WeirRedis,
            measurements: vec![
                measurement(0.9, 0.3),
                measurement(0.5, 0.1),
                measurement(0.6, 0.2),
            ],
            peak_kibibytes: 10 * 1024,
        };
        let expected =
            "| weir-redis | 0.600 | 0.500–0.900 | 0.200 | 500 | 1.50 | 4.00 | 0.00 | 10.0 |";
        let table = markdown(&[row]);
        assert!(table.lines().any(|line| line == expected), "{table}");
    }
}
