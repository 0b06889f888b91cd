//! Drift rows in the order of windows and features, within a bounded size.
//!
//! A dashboard is read on phones, too: it holds the newest windows, a cell a feature and window, and distributions where
//! they matter most. What is left out is counted, so that the page can say so.

use std::collections::{BTreeMap, BTreeSet};

use contracts::reporting::DriftRow;
use drift_document::{Metric, Outcome, Role, Status};
use serde::Serialize;

use super::compact::{self, Side, number, rounded, sentence};
use super::{Model, WindowErrors};
use crate::text;

/// The most windows of a model.
pub(super) const MOST_WINDOWS: usize = 200;
/// The most cells of the page; fewer windows are shown of a model with very many features.
const MOST_CELLS: usize = 60_000;
/// The most distributions of the page.
const MOST_DETAILS: usize = 6_000;

/// The windows of a model, the oldest first, and what was found in them.
#[derive(Debug, Serialize)]
pub(super) struct Windows {
    pub windows: Vec<Window>,
    pub features: Vec<Feature>,
    /// Older windows that are not shown.
    pub dropped: u64,
}

/// What one monitoring run looked at.
#[derive(Debug, Serialize)]
pub(super) struct Window {
    pub number: u64,
    /// Seconds since 1970.
    pub from: i64,
    pub to: i64,
    run: String,
    champion: Option<String>,
    config: String,
    /// The worst of its analyses.
    #[serde(skip)]
    pub worst: Option<Outcome>,
    pub outcome: String,
    pub analyses: Vec<Analysis>,
    /// Labels that could have come, and those that came.
    predictions: u64,
    labels: u64,
    data: String,
    sources: String,
    scoring: Vec<String>,
    pub errors: Vec<Errors>,
}

/// What one analysis of a window says.
#[derive(Debug, Serialize)]
pub(super) struct Analysis {
    /// `data`, `quality`, `window`.
    pub kind: String,
    pub outcome: String,
    pub reason: String,
    pub rows: u64,
    baseline_rows: u64,
    skipped: u64,
    report: String,
}

/// How far a champion's predictions were off.
#[derive(Debug, Serialize)]
pub(super) struct Errors {
    champion: String,
    pub labels: u64,
    pub rmse: Option<f64>,
    mae: Option<f64>,
    off: Option<f64>,
}

/// A line of the heat map.
#[derive(Debug, Serialize)]
pub(super) struct Feature {
    pub name: String,
    /// `prediction`, `feature` or `quality`.
    pub kind: &'static str,
    /// One a window; nothing where it was not analysed.
    pub cells: Vec<Option<Cell>>,
}

/// What was found of a feature in a window.
#[derive(Debug, Serialize)]
pub(super) struct Cell {
    /// `c`lean, `d`rifted, `i`nsufficient data, `m`issing column, e`x`tra column, `o`ff.
    #[serde(rename = "s")]
    pub status: char,
    /// Distance over threshold.
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    pub severity: Option<f64>,
    #[serde(rename = "k", skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    distance: Option<f64>,
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    /// The place of its distributions among the details.
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    detail: Option<usize>,
    /// Quantiles at 0.05, 0.25, 0.5, 0.75 and 0.95, of the window: what the trend is drawn from.
    #[serde(rename = "q", skip_serializing_if = "Option::is_none")]
    quantiles: Option<[Option<f64>; 5]>,
}

/// What a cell opens.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    /// Distance, value, threshold.
    d: Vec<(&'static str, Option<f64>, Option<f64>)>,
    /// After false-discovery control.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<f64>,
    /// Edges of both histograms.
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Vec<f64>>,
    /// Before.
    #[serde(skip_serializing_if = "Option::is_none")]
    b: Option<Side>,
    /// After.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Side>,
}

/// The windows of all models, and the details that their cells refer to.
pub(super) fn of(models: &[Model]) -> (Vec<Windows>, Vec<Detail>) {
    let kept: Vec<_> = models.iter().map(|model| newest(model, models.len())).collect();
    let mut chosen: Vec<(bool, &DriftRow, usize)> = Vec::new();
    for (place, (rows, _)) in kept.iter().enumerate() {
        let with_sides = rows
            .iter()
            .filter(|row| row.baseline.is_some() || row.current.is_some());
        chosen.extend(with_sides.map(|row| (is_finding(row.status), *row, place)));
    }
    // Findings before what is clean, then the newest.
    chosen.sort_by(|(finding, row, _), (other_finding, other, _)| {
        (other_finding, other.window_to).cmp(&(finding, row.window_to))
    });
    chosen.truncate(MOST_DETAILS);
    let details = chosen.iter().map(|(_, row, _)| Detail::new(row)).collect();
    let places: BTreeMap<(usize, u64, &str), usize> = chosen
        .iter()
        .enumerate()
        .map(|(detail, (_, row, model))| ((*model, row.window, row.feature.as_deref().unwrap_or_default()), detail))
        .collect();
    let windows = kept
        .iter()
        .zip(models)
        .enumerate()
        .map(|(place, ((rows, dropped), model))| {
            let detail = |window: u64, feature: &str| places.get(&(place, window, feature)).copied();
            Windows::new(rows, model, *dropped, &detail)
        })
        .collect();
    (windows, details)
}

/// The rows of a model's newest windows, and how many windows are left out. Of a window that was made twice, the later
/// run's rows stay.
fn newest(model: &Model, models: usize) -> (Vec<&DriftRow>, u64) {
    let mut last_run: BTreeMap<u64, &DriftRow> = BTreeMap::new();
    for row in &model.drift {
        let last = last_run.entry(row.window).or_insert(row);
        if (row.window_to, &row.run_id) > (last.window_to, &last.run_id) {
            *last = row;
        }
    }
    let lines: BTreeSet<_> = model.drift.iter().map(|row| (&row.feature, &row.metric)).collect();
    let affordable = MOST_CELLS / models.max(1) / lines.len().max(1);
    let shown = last_run.len().min(MOST_WINDOWS).min(affordable.max(1));
    let first = last_run
        .keys()
        .rev()
        .take(shown)
        .next_back()
        .copied()
        .unwrap_or_default();
    let rows = model
        .drift
        .iter()
        .filter(|row| row.window >= first && last_run.get(&row.window).is_some_and(|last| last.run_id == row.run_id))
        .collect();
    (rows, (last_run.len() - shown) as u64 + model.older_windows)
}

fn is_finding(status: Option<Status>) -> bool {
    matches!(
        status,
        Some(Status::Drifted | Status::MissingColumn | Status::ExtraColumn)
    )
}

impl Windows {
    fn new(rows: &[&DriftRow], model: &Model, dropped: u64, detail: &dyn Fn(u64, &str) -> Option<usize>) -> Self {
        let mut by_window: BTreeMap<u64, Vec<&DriftRow>> = BTreeMap::new();
        for row in rows {
            by_window.entry(row.window).or_default().push(row);
        }
        let places: BTreeMap<u64, usize> = by_window.keys().copied().zip(0..).collect();
        let windows: Vec<Window> = by_window
            .values()
            .filter_map(|rows| Window::new(rows, &model.errors))
            .collect();
        let mut features: BTreeMap<(u8, &str), Feature> = BTreeMap::new();
        for row in rows {
            let Some((order, kind, name)) = line(row) else { continue };
            let feature = features.entry((order, name)).or_insert_with(|| Feature {
                name: text::shown(name),
                kind,
                cells: places.iter().map(|_| None).collect(),
            });
            let cell = places.get(&row.window).and_then(|place| feature.cells.get_mut(*place));
            if let Some(cell) = cell {
                let detail = row.feature.as_deref().and_then(|name| detail(row.window, name));
                *cell = Some(Cell::new(row, detail));
            }
        }
        Self {
            windows,
            features: features.into_values().collect(),
            dropped,
        }
    }
}

/// The line that a row stands in: its order, kind and name; none for what is of the whole window.
fn line(row: &DriftRow) -> Option<(u8, &'static str, &str)> {
    match (&row.feature, row.role, &row.metric) {
        (Some(name), Some(Role::Prediction), _) => Some((0, "prediction", name)),
        (Some(name), _, _) => Some((1, "feature", name)),
        (None, _, Some(metric)) => Some((2, "quality", metric)),
        (None, _, None) => None,
    }
}

impl Window {
    fn new(rows: &[&DriftRow], errors: &[WindowErrors]) -> Option<Self> {
        let first = rows.first()?;
        let mut analyses: Vec<Analysis> = Vec::new();
        for row in rows {
            if !analyses.iter().any(|analysis| analysis.kind == row.analysis) {
                analyses.push(Analysis {
                    kind: row.analysis.clone(),
                    outcome: row.outcome.clone(),
                    reason: sentence(&row.reason),
                    rows: row.current_rows,
                    baseline_rows: row.baseline_rows,
                    skipped: row.skipped_rows,
                    report: row.report_uri.clone(),
                });
            }
        }
        let worst = analyses
            .iter()
            .map(|analysis| outcome(&analysis.outcome))
            .max_by_key(|outcome| rank(*outcome));
        let most = |of: fn(&DriftRow) -> u64| rows.iter().map(|row| of(row)).max().unwrap_or_default();
        let scoring: BTreeSet<String> = rows
            .iter()
            .flat_map(|row| row.scoring_runs.iter().map(ToString::to_string))
            .collect();
        Some(Self {
            number: first.window,
            from: first.window_from.as_second(),
            to: first.window_to.as_second(),
            run: first.run_id.to_string(),
            champion: rows
                .iter()
                .find_map(|row| row.champion.as_ref())
                .map(ToString::to_string),
            config: first.endpoint_config.clone(),
            worst,
            outcome: worst.map_or("error", Outcome::as_str).to_owned(),
            analyses,
            predictions: most(|row| row.predictions),
            labels: most(|row| row.labels_joined),
            data: first.data_uri.clone(),
            sources: first.sources_uri.clone(),
            scoring: scoring.into_iter().collect(),
            errors: errors
                .iter()
                .filter(|errors| errors.window == first.window)
                .map(Errors::new)
                .collect(),
        })
    }
}

/// An outcome by its text; one that is not known is no success.
pub(super) fn outcome(text: &str) -> Outcome {
    [Outcome::Clean, Outcome::Drifted, Outcome::InsufficientData]
        .into_iter()
        .find(|outcome| outcome.as_str() == text)
        .unwrap_or(Outcome::Error)
}

pub(super) fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::InsufficientData => 0,
        Outcome::Clean => 1,
        Outcome::Drifted => 2,
        Outcome::Error => 3,
    }
}

impl Errors {
    fn new(errors: &WindowErrors) -> Self {
        Self {
            champion: errors.champion.to_string(),
            labels: errors.labels,
            rmse: number(errors.rmse),
            mae: number(errors.mae),
            off: number(errors.mean_error),
        }
    }
}

impl Cell {
    fn new(row: &DriftRow, detail: Option<usize>) -> Self {
        // An error is near its limit when it is large; R² when it is small, which is another measure.
        let grows = !matches!(row.metric.as_deref(), Some("r2"));
        let of_threshold = || Some(row.distance? / row.threshold.filter(|threshold| grows && *threshold > 0.0)?);
        Self {
            status: match row.status {
                Some(Status::Clean) | None => 'c',
                Some(Status::Drifted) => 'd',
                Some(Status::InsufficientData) => 'i',
                Some(Status::MissingColumn) => 'm',
                Some(Status::ExtraColumn) => 'x',
                Some(Status::Disabled) => 'o',
            },
            severity: row.severity.or_else(of_threshold).and_then(|value| rounded(value, 3)),
            metric: row.metric.as_deref().map(text::shown),
            distance: row.distance.and_then(number),
            threshold: row.threshold.and_then(number),
            detail,
            quantiles: row
                .current
                .as_ref()
                .and_then(|current| current.numbers.as_ref())
                .and_then(compact::quantiles)
                .map(|quantiles| quantiles.map(|value| rounded(value?, 4))),
        }
    }
}

impl Detail {
    fn new(row: &DriftRow) -> Self {
        let (before, now) = (row.baseline.as_ref(), row.current.as_ref());
        let distance = |metric: Metric, value, threshold| (metric.as_str(), rounded(value, 4), rounded(threshold, 4));
        Self {
            d: row
                .distances
                .iter()
                .map(|it| distance(it.metric, it.value, it.threshold))
                .collect(),
            q: row.q_value.and_then(|value| rounded(value, 3)),
            e: compact::edges(before, now),
            b: before.map(Side::new),
            n: now.map(Side::new),
        }
    }
}
