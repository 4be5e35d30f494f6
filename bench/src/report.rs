//! The table of the comparison.

use std::time::Duration;

use crate::gateway::GatewayKind;
use crate::query::Query;

/// One measurement of one gateway with one query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Number of requests with a response.
    pub(crate) requests: f64,
    /// Duration, in seconds.
    pub(crate) seconds: f64,
    /// CPU time of the gateway, in seconds.
    pub(crate) cpu: f64,
    /// The latency that half of the requests did not exceed.
    pub(crate) p50: Duration,
    /// The latency that 99 of 100 requests did not exceed.
    pub(crate) p99: Duration,
    /// Number of calls of the services.
    pub(crate) calls: f64,
}

/// All measurements of one gateway with one query.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The query.
    pub(crate) query: Query,
    /// The gateway.
    pub(crate) gateway: GatewayKind,
    /// One sample for each round; at least one.
    pub(crate) samples: Vec<Sample>,
    /// Peak resident memory of the process, in KiB.
    pub(crate) peak_kibibytes: u64,
}

impl Sample {
    /// CPU time per request, in milliseconds.
    pub(crate) fn cpu_per_request(&self) -> f64 {
        self.cpu * 1000.0 / self.requests
    }
}

impl Row {
    fn median(&self, measure: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(measure).collect())
    }

    fn cpu(&self) -> f64 {
        self.median(Sample::cpu_per_request)
    }

    /// The minimum and the maximum CPU time per request among the rounds.
    fn cpu_range(&self) -> (f64, f64) {
        let all = self.samples.iter().map(Sample::cpu_per_request);
        all.fold((f64::INFINITY, 0.0), |(least, most), cpu| {
            (cpu.min(least), cpu.max(most))
        })
    }
}

/// The medians of all rows in Markdown, then the ratios of the CPU time of weir to that of the
/// others.
pub(crate) fn table(rows: &[Row]) -> String {
    let figures: String = rows.iter().map(markdown_row).collect();
    let ratios: String = Query::ALL
        .into_iter()
        .filter_map(|query| ratios(rows, query))
        .collect();
    format!("{FIGURES_HEADER}{figures}\n{RATIOS_HEADER}{ratios}")
}

const FIGURES_HEADER: &str = "\
| query | gateway | CPU ms/request | least–most | requests/s | p50 ms | p99 ms | calls/request | peak MiB |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
";

const RATIOS_HEADER: &str = "\
| query | CPU weir / handwritten | CPU weir / limit |
| --- | ---: | ---: |
";

/// The ratios for one query; `None` if weir was not measured.
fn ratios(rows: &[Row], query: Query) -> Option<String> {
    let cpu = |gateway: GatewayKind| {
        let mut rows = rows.iter();
        let row = rows.find(|row| row.query == query && row.gateway == gateway)?;
        Some(row.cpu())
    };
    let weir = cpu(GatewayKind::Weir)?;
    let ratio = |kind| cpu(kind).map_or("–".to_owned(), |other| format!("{:.2}", weir / other));
    let (handwritten, limit) = (ratio(GatewayKind::Handwritten), ratio(GatewayKind::Limit));
    Some(format!("| {query:?} | {handwritten} | {limit} |\n"))
}

fn markdown_row(row: &Row) -> String {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let (least, most) = row.cpu_range();
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let peak = row.peak_kibibytes as f64 / 1024.0;
    format!(
        "| {:?} | {} | {:.3} | {least:.3}–{most:.3} | {:.0} | {:.2} | {:.2} | {:.2} | {peak:.1} |\n",
        row.query,
        row.gateway.name(),
        row.cpu(),
        row.median(|sample| sample.requests / sample.seconds),
        row.median(|sample| milliseconds(sample.p50)),
        row.median(|sample| milliseconds(sample.p99)),
        row.median(|sample| sample.calls / sample.requests),
    )
}

/// The median of `values`: the middle one, or the mean of the middle two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.len() / 2;
    let lower = values.len().saturating_sub(1) / 2;
    match (values.get(lower), values.get(upper)) {
        (Some(lower), Some(upper)) => f64::midpoint(*lower, *upper),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(gateway: GatewayKind, cpu: &[f64]) -> Row {
        let sample = |cpu: &f64| Sample {
            requests: 1000.0,
            seconds: 2.0,
            cpu: *cpu,
            p50: Duration::from_micros(1500),
            p99: Duration::from_millis(4),
            calls: 3000.0,
        };
        Row {
            query: Query::Q2,
            gateway,
            samples: cpu.iter().map(sample).collect(),
            peak_kibibytes: 10 * 1024,
        }
    }

    #[test]
    fn the_table_has_medians_and_ratios() {
        let rows = [
            row(GatewayKind::Weir, &[0.9, 0.5, 0.6]),
            row(GatewayKind::Handwritten, &[3.0, 3.0, 3.0]),
            row(GatewayKind::Limit, &[0.4, 0.5]),
        ];
        let table = table(&rows);
        let expected = [
            "| Q2 | weir | 0.600 | 0.500–0.900 | 500 | 1.50 | 4.00 | 3.00 | 10.0 |",
            "| Q2 | limit | 0.450 | 0.400–0.500 | 500 | 1.50 | 4.00 | 3.00 | 10.0 |",
            "| Q2 | 0.20 | 1.33 |",
        ];
        for line in expected {
            assert!(
                table.lines().any(|known| known == line),
                "{line}\n\n{table}"
            );
        }
    }

    #[test]
    fn a_gateway_that_was_not_measured_has_no_ratio() {
        let table = table(&[
            row(GatewayKind::Weir, &[1.0]),
            row(GatewayKind::Limit, &[0.5]),
        ]);
        assert!(
            table.lines().any(|line| line == "| Q2 | – | 2.00 |"),
            "{table}"
        );
    }
}
