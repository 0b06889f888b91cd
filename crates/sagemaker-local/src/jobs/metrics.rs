//! Metrics in a container's log.

use std::io::{BufRead, BufReader};
use std::path::Path;

use fancy_regex::Regex;

use crate::containers::MetricDefinition;

/// The last value of each metric that occurs in the log, in the order of the definitions.
///
/// A later definition of the same name replaces an earlier one; patterns that can't be compiled find nothing.
pub fn last_values(definitions: &[MetricDefinition], log: &Path) -> std::io::Result<Vec<(String, f64)>> {
    scan(definitions, BufReader::new(std::fs::File::open(log)?))
}

fn scan(definitions: &[MetricDefinition], mut log: impl BufRead) -> std::io::Result<Vec<(String, f64)>> {
    let mut metrics: Vec<(&str, Regex, Option<f64>)> = Vec::new();
    for MetricDefinition { name, regex } in definitions {
        let Ok(regex) = Regex::new(regex) else { continue };
        metrics.retain(|(earlier, ..)| earlier != name);
        metrics.push((name, regex, None));
    }
    let mut line = Vec::new();
    // A container may write anything; a line that is not UTF-8 holds no metric.
    while log.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        for (_, regex, value) in &mut metrics {
            let found = regex
                .captures_iter(text.trim_end())
                .flatten()
                .filter_map(|groups| groups.get(1).and_then(|group| group.as_str().parse::<f64>().ok()));
            *value = found.last().or(*value);
        }
        line.clear();
    }
    Ok(metrics
        .into_iter()
        .filter_map(|(name, _, value)| Some((name.to_owned(), value?)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(definitions: &[(&str, &str)], log: &str) -> Vec<(String, f64)> {
        let definitions: Vec<_> = definitions
            .iter()
            .map(|(name, regex)| MetricDefinition {
                name: (*name).into(),
                regex: (*regex).into(),
            })
            .collect();
        scan(&definitions, log.as_bytes()).unwrap()
    }

    #[test]
    fn the_last_value_of_each_metric_counts() {
        let log = "[0]#011train-rmse:9.5#011validation-rmse:8.25\n[1]#011train-rmse:4e-1#011validation-rmse:7\nnoise\n";
        let definitions = [
            ("train:rmse", "train-rmse:([-+0-9.e]+)"),
            ("validation:rmse", "validation-rmse:([-+0-9.e]+)"),
            ("x", "x=(.*)"),
        ];
        assert_eq!(
            values(&definitions, log),
            [("train:rmse".into(), 0.4), ("validation:rmse".into(), 7.0)]
        );
    }

    #[test]
    fn not_a_number_is_a_value() {
        let found = values(&[("loss", "loss=(nan|[0-9.]+)")], "loss=1.5\nloss=nan\n");
        assert!(found[0].1.is_nan());
    }

    #[test]
    fn a_jobs_own_definition_replaces_the_algorithms() {
        assert_eq!(
            values(&[("m", "a=([0-9]+)"), ("m", "b=([0-9]+)")], "a=1 b=2\n"),
            [("m".into(), 2.0)]
        );
    }

    #[test]
    fn bytes_that_are_not_text_are_passed_over() {
        let definitions = [MetricDefinition {
            name: "m".into(),
            regex: "m=([0-9]+)".into(),
        }];
        assert_eq!(
            scan(&definitions, &b"\xff\xfe\nm=3\n"[..]).unwrap(),
            [("m".into(), 3.0)]
        );
    }
}
