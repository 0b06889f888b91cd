//! What the template shows by itself, and the document that the script reads.

use contracts::reporting::RunRow;
use contracts::{Champion, RunId};
use drift_document::Outcome;
use jiff::Timestamp;
use serde::Serialize;

use super::compact::{number, sentence, time};
use super::decided::{self, Hold, OfModel, Refused};
use super::windows::{self, Analysis, Detail, Window, Windows};
use super::{Dashboard, Model, Unreadable};
use crate::text;

/// The most runs of a kind.
const MOST_RUNS: usize = 300;
/// The most files that are named.
const MOST_UNREADABLE: usize = 50;
/// The most drifted features that a card names.
const NAMED: usize = 4;

/// What the template shows by itself: it does not depend on the filters.
#[derive(Serialize)]
pub(super) struct Page {
    /// The worst outcome of all models' newest windows.
    outcome: Badge,
    holds: Vec<Hold>,
    cards: Vec<Card>,
    decisions: Vec<OfModel>,
    refused: Vec<Refused>,
    /// Refused files that are not shown.
    more_refused: usize,
    unreadable: Vec<Unreadable>,
    unreadable_count: usize,
    days: u32,
    target: String,
    has_runs: bool,
    has_windows: bool,
}

#[derive(Serialize)]
struct Badge {
    style: &'static str,
    label: &'static str,
}

/// A model at a glance.
#[derive(Serialize)]
struct Card {
    model: String,
    outcome: Badge,
    /// Reasons of the newest window, one per analysis.
    reasons: Vec<Reason>,
    window: String,
    champion: String,
    since: String,
    holdout_rmse: String,
    live_rmse: String,
    labels: String,
    rows: String,
    drifted: String,
    features: String,
    /// The worst of them.
    names: Vec<String>,
    /// How many others.
    others: usize,
    dropped: String,
    has_windows: bool,
}

/// Why an analysis ended as it did.
#[derive(Serialize)]
struct Reason {
    style: &'static str,
    analysis: &'static str,
    text: String,
}

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    generated_at: i64,
    target: String,
    models: Vec<ModelData>,
    details: Vec<Detail>,
    runs: Vec<RunData<'a>>,
}

#[derive(Serialize)]
struct ModelData {
    name: String,
    champions: Vec<ChampionData>,
    #[serde(flatten)]
    windows: Windows,
}

#[derive(Serialize)]
struct ChampionData {
    run: String,
    exported: i64,
    config: String,
    document: String,
    endpoint: String,
    rmse: Option<f64>,
    rows: u64,
    current: bool,
    baselines: bool,
}

#[derive(Serialize)]
struct RunData<'a> {
    model: String,
    run: String,
    kind: &'a str,
    by: &'a str,
    source: Option<&'a str>,
    status: &'a str,
    start: Option<i64>,
    stop: Option<i64>,
    decision: Option<&'a str>,
    reason: Option<String>,
    metric: Option<f64>,
    threshold: Option<f64>,
    candidate: Option<f64>,
    champion: Option<f64>,
    candidate_on_champions: Option<f64>,
    champion_on_champions: Option<f64>,
    naive: Option<f64>,
    opponent: Option<String>,
    scored: Option<u64>,
    rejected: Option<u64>,
}

/// The content of the template, and the script's document as text.
pub(super) fn new(dashboard: &Dashboard) -> (Page, String) {
    let (windows, details) = windows::of(&dashboard.models);
    let cards: Vec<Card> = dashboard
        .models
        .iter()
        .zip(&windows)
        .map(|(model, windows)| Card::new(model, windows))
        .collect();
    let (refused, more_refused) = decided::refused(dashboard);
    let page = Page {
        outcome: Badge::new(worst(&windows)),
        holds: decided::holds(dashboard),
        cards,
        decisions: decided::decisions(dashboard),
        refused,
        more_refused,
        unreadable: dashboard
            .unreadable
            .iter()
            .take(MOST_UNREADABLE)
            .map(|file| Unreadable {
                uri: file.uri.clone(),
                reason: sentence(&file.reason),
            })
            .collect(),
        unreadable_count: dashboard.unreadable.len(),
        days: dashboard.days,
        target: text::shown(&dashboard.target),
        has_runs: !dashboard.runs.is_empty(),
        has_windows: windows.iter().any(|windows| !windows.windows.is_empty()),
    };
    let models = dashboard.models.iter().zip(windows).map(|(model, windows)| ModelData {
        name: text::shown(&model.name),
        champions: champions(model),
        windows,
    });
    let data = Data {
        generated_at: dashboard.generated_at.as_second(),
        target: text::shown(&dashboard.target),
        models: models.collect(),
        details,
        runs: runs(&dashboard.runs),
    };
    // proof: maps with text keys, and numbers, are all it holds; what could not be written would be an empty page.
    let text = serde_json::to_string(&data).unwrap_or_default();
    (page, for_script(&text))
}

/// JSON as it can stand in a script element: nothing in it ends the element or a line of a script. Outside of strings
/// JSON has none of these characters.
fn for_script(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => text.push(other),
        }
    }
    text
}

fn worst(windows: &[Windows]) -> Option<Outcome> {
    let newest = windows.iter().filter_map(|windows| windows.windows.last()?.worst);
    newest.max_by_key(|outcome| windows::rank(*outcome))
}

/// All champions of a model, the newest first.
fn champions(model: &Model) -> Vec<ChampionData> {
    let current = model.champion.as_ref();
    let mut all: Vec<&Champion> = model.history.iter().chain(current).collect();
    all.sort_by(|one, other| (other.exported_at, &other.run_id).cmp(&(one.exported_at, &one.run_id)));
    all.dedup_by(|one, other| one.run_id == other.run_id);
    all.into_iter()
        .map(|champion| ChampionData {
            run: champion.run_id.to_string(),
            exported: champion.exported_at.as_second(),
            config: champion.endpoint_config.clone(),
            document: champion.config_version.clone(),
            endpoint: champion.endpoint_name.clone(),
            rmse: number(champion.holdout_rmse),
            rows: champion.holdout_rows,
            current: current.is_some_and(|current| current.run_id == champion.run_id),
            baselines: champion.baselines.is_some(),
        })
        .collect()
}

/// The newest runs of each kind, the newest first.
fn runs(runs: &[RunRow]) -> Vec<RunData<'_>> {
    let mut sorted: Vec<&RunRow> = runs.iter().collect();
    let order = |run: &RunRow| (run.started_at, run.run_id.clone());
    sorted.sort_by(|one, other| order(other).cmp(&order(one)).then_with(|| one.model.cmp(&other.model)));
    let mut of_kind = std::collections::BTreeMap::new();
    sorted.retain(|run| {
        let seen: &mut usize = of_kind.entry(run.kind.as_str()).or_default();
        *seen += 1;
        *seen <= MOST_RUNS
    });
    sorted.into_iter().map(RunData::new).collect()
}

impl<'a> RunData<'a> {
    fn new(row: &'a RunRow) -> Self {
        let second = |time: Option<Timestamp>| time.map(Timestamp::as_second);
        Self {
            model: text::shown(&row.model),
            run: row.run_id.to_string(),
            kind: &row.kind,
            by: &row.started_by,
            source: row.source.as_deref(),
            status: &row.status,
            start: second(row.started_at),
            stop: second(row.stopped_at),
            decision: row.decision.as_deref(),
            reason: row.reason.as_deref().map(sentence),
            metric: row.metric_rmse.and_then(number),
            threshold: row.threshold_rmse.and_then(number),
            candidate: row.candidate_rmse.and_then(number),
            champion: row.champion_rmse.and_then(number),
            candidate_on_champions: row.candidate_rmse_on_champions.and_then(number),
            champion_on_champions: row.champion_rmse_on_champions.and_then(number),
            naive: row.naive_rmse.and_then(number),
            opponent: row.champion.as_ref().map(RunId::to_string),
            scored: row.scored_rows,
            rejected: row.rejected_rows,
        }
    }
}

impl Card {
    fn new(model: &Model, windows: &Windows) -> Self {
        let newest = windows.windows.last();
        let mut drifted: Vec<(f64, &str)> = Vec::new();
        let mut judged = 0;
        for feature in windows.features.iter().filter(|feature| feature.kind != "quality") {
            let Some(Some(cell)) = feature.cells.last() else {
                continue;
            };
            judged += usize::from(matches!(cell.status, 'c' | 'd'));
            if cell.status == 'd' {
                drifted.push((cell.severity.unwrap_or_default(), &feature.name));
            }
        }
        drifted.sort_by(|one, other| other.0.total_cmp(&one.0));
        let champion = model.champion.as_ref();
        let live = windows.windows.iter().rev().find(|window| !window.errors.is_empty());
        let (labels, rmse) = live.map_or((0, f64::NAN), live_rmse);
        Self {
            model: text::shown(&model.name),
            outcome: Badge::new(newest.and_then(|window| window.worst)),
            reasons: newest.map(reasons).unwrap_or_default(),
            window: newest
                .map(|window| format!("window {}, {}", window.number, time(window.to)))
                .unwrap_or_default(),
            champion: champion.map(|it| it.run_id.to_string()).unwrap_or_default(),
            since: champion.map(|it| time(it.exported_at.as_second())).unwrap_or_default(),
            holdout_rmse: text::significant(champion.map_or(f64::NAN, |it| it.holdout_rmse), 4),
            live_rmse: text::significant(rmse, 4),
            labels: text::count(labels),
            rows: text::count(newest.map_or(0, |window| window.analyses.iter().map(|it| it.rows).max().unwrap_or(0))),
            drifted: text::count(drifted.len() as u64),
            features: text::count(judged as u64),
            others: drifted.len().saturating_sub(NAMED),
            names: drifted.iter().take(NAMED).map(|(_, name)| (*name).to_owned()).collect(),
            dropped: if windows.dropped == 0 {
                String::new()
            } else {
                text::count(windows.dropped)
            },
            has_windows: newest.is_some(),
        }
    }
}

/// The error of a window over all its champions: labels and RMSE.
fn live_rmse(window: &Window) -> (u64, f64) {
    let labels: u64 = window.errors.iter().map(|errors| errors.labels).sum();
    let squares: f64 = window
        .errors
        .iter()
        .map(|errors| errors.rmse.unwrap_or(f64::NAN).powi(2) * errors.labels as f64)
        .sum();
    (labels, (squares / labels as f64).sqrt())
}

/// Why the newest window ended as it did.
fn reasons(window: &Window) -> Vec<Reason> {
    let reason = |analysis: &Analysis| Reason {
        style: windows::outcome(&analysis.outcome).as_str(),
        analysis: match analysis.kind.as_str() {
            "data" => "Data drift",
            "quality" => "Model drift",
            _ => "Window",
        },
        text: analysis.reason.clone(),
    };
    window.analyses.iter().map(reason).collect()
}

impl Badge {
    fn new(outcome: Option<Outcome>) -> Self {
        let (style, label) = match outcome {
            Some(Outcome::Clean) => ("clean", "Clean"),
            Some(Outcome::Drifted) => ("drifted", "Drifted"),
            Some(Outcome::InsufficientData) => ("insufficient-data", "Not enough data"),
            Some(Outcome::Error) => ("error", "Error"),
            None => ("none", "Not watched yet"),
        };
        Self { style, label }
    }
}
