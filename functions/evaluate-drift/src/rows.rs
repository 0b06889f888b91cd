//! Rows of a window for queries: one per feature, prediction or quality metric, with where the data came from.

use crate::finding;
use crate::rules::{Analyses, Judgement};
use contracts::drift::{Drift, FeatureDrift, Outcome, QualityMetric, SkippedKind, Status};
use contracts::places::{self, MonitoringPlaces};
use contracts::reporting::DriftRow;
use contracts::{RunId, Window};

/// The rows of a window; at least one, even if it could not be analysed.
pub fn rows(window: &Window, analyses: &Analyses, judgement: &Judgement) -> Vec<DriftRow> {
    if judgement.outcome == Outcome::Error {
        return vec![whole(window, judgement)];
    }
    let found = analyses
        .each()
        .into_iter()
        .filter_map(|(name, analysis)| Some((name, analysis.found()?)));
    let rows: Vec<DriftRow> = found
        .flat_map(|(name, drift)| of_analysis(window, name, drift))
        .collect();
    if rows.is_empty() {
        return vec![whole(window, judgement)];
    }
    rows
}

/// The folder with the analyzer's output, including `report.html`.
pub fn report_uri(window: &Window, analysis: &str) -> String {
    let places = MonitoringPlaces {
        use_case: &window.run.use_case,
        model: &window.run.model,
        run_id: &window.run.run_id,
    };
    places::uri(&window.run.bucket, &(places.analysis(analysis) + "report.html"))
}

fn of_analysis(window: &Window, name: &str, drift: &Drift) -> Vec<DriftRow> {
    let mut common = empty(window);
    name.clone_into(&mut common.analysis);
    drift.outcome.as_str().clone_into(&mut common.outcome);
    common.reason.clone_from(&drift.reason);
    common.baseline_rows = drift.samples.baseline_rows;
    common.current_rows = drift.samples.current_rows;
    common.report_uri = report_uri(window, name);
    if name == "quality" {
        common.skipped_rows = finding::left_out(window, &finding::LOST_LABELS);
        common.data_uri.clone_from(&window.quality_uri);
    }
    common.skipped_rows += drift.samples.skipped_rows;
    let features = drift.features.iter().map(|feature| of_feature(&common, feature));
    let metrics = drift.quality.iter().flat_map(|quality| &quality.metrics);
    let mut rows: Vec<DriftRow> = features
        .chain(metrics.map(|metric| of_metric(&common, metric)))
        .collect();
    if drift.outcome == Outcome::InsufficientData {
        // With too few rows, nothing counts as drifted or as clean.
        let judged = |row: &&mut DriftRow| matches!(row.status, Some(Status::Drifted | Status::Clean));
        for row in rows.iter_mut().filter(judged) {
            row.status = Some(Status::InsufficientData);
        }
    }
    if rows.is_empty() { vec![common] } else { rows }
}

fn of_feature(common: &DriftRow, feature: &FeatureDrift) -> DriftRow {
    let decisive = feature
        .distances
        .iter()
        .find(|distance| Some(distance.metric) == feature.decisive);
    DriftRow {
        feature: Some(feature.name.clone()),
        role: Some(feature.role),
        status: Some(feature.status),
        metric: feature.decisive.map(|metric| metric.as_str().to_owned()),
        distance: decisive.map(|distance| distance.value),
        threshold: decisive.map(|distance| distance.threshold),
        severity: Some(feature.severity),
        q_value: feature.q_value,
        distances: feature.distances.clone(),
        baseline: feature.baseline.clone(),
        current: feature.current.clone(),
        ..common.clone()
    }
}

fn of_metric(common: &DriftRow, metric: &QualityMetric) -> DriftRow {
    let below = metric.comparison_operator.as_deref() == Some("LessThanThreshold");
    let severity = metric
        .value
        .zip(metric.threshold)
        .map(|(value, threshold)| severity(value, threshold, below));
    DriftRow {
        status: Some(if metric.drifted { Status::Drifted } else { Status::Clean }),
        metric: Some(metric.name.clone()),
        distance: metric.value,
        threshold: metric.threshold,
        // A threshold of 0, from a perfect baseline, has no multiples.
        severity: severity.filter(|severity| severity.is_finite()),
        ..common.clone()
    }
}

/// 1 at the threshold, and greater the worse the value is: 1 plus its distance from the threshold, in multiples of the
/// threshold. For an error this is the quotient of the two; but R² may be negative, and a quotient would then rank the
/// worst values best.
fn severity(value: f64, threshold: f64, below: bool) -> f64 {
    let beyond = if below { threshold - value } else { value - threshold };
    (1.0 + beyond / threshold.abs()).max(0.0)
}

/// The row of the window itself.
fn whole(window: &Window, judgement: &Judgement) -> DriftRow {
    DriftRow {
        outcome: judgement.outcome.as_str().to_owned(),
        reason: judgement.reason.clone(),
        ..empty(window)
    }
}

fn empty(window: &Window) -> DriftRow {
    DriftRow {
        model: window.run.model.clone(),
        window: window.number,
        window_from: window.from,
        window_to: window.to,
        run_id: window.run.run_id.clone(),
        champion: window.champion.clone(),
        endpoint_config: window.endpoint_config.clone(),
        analysis: "window".to_owned(),
        outcome: String::new(),
        reason: String::new(),
        feature: None,
        role: None,
        status: None,
        metric: None,
        distance: None,
        threshold: None,
        severity: None,
        q_value: None,
        distances: Vec::new(),
        baseline: None,
        current: None,
        baseline_rows: 0,
        current_rows: window.records,
        skipped_rows: finding::left_out(window, &[SkippedKind::Record]),
        predictions: window.ground_truth.predictions,
        labels_joined: window.ground_truth.joined,
        data_uri: window.data_uri.clone(),
        sources_uri: window.sources_uri.clone(),
        scoring_runs: window.scoring_runs.clone(),
        report_uri: String::new(),
    }
}

/// The folder of a scoring run's results, `s3://bucket/<use-case>/scored/<run>/`.
pub fn scored_uri(window: &Window, run: &RunId) -> String {
    places::uri(&window.run.bucket, &places::use_case::scored(&window.run.use_case, run))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_a_metric_is_the_larger_its_severity() {
        let of_r2 = [0.95, 0.72, 0.5, 0.0, -0.95, -7.0].map(|value| severity(value, 0.72, true));
        assert!(of_r2.is_sorted_by(|better, worse| better < worse), "{of_r2:?}");
        assert!((of_r2[1] - 1.0).abs() < 1e-12);
        let below_nought = [-0.5, -1.0, -2.0].map(|value| severity(value, -1.0, true));
        assert!(
            below_nought.is_sorted_by(|better, worse| better < worse),
            "{below_nought:?}"
        );
        assert!((severity(5120.0, 4096.0, false) - 1.25).abs() < 1e-12);
        // A value better than it need be has a severity of at least 0.
        assert!(severity(0.95, 0.3, true).abs() < 1e-12);
        assert!(!severity(1.0, 0.0, false).is_finite());
    }
}
