//! What was decided on each model, what waits for somebody's word, and which files were refused: as the rows say it.

use std::collections::BTreeSet;

use contracts::reporting::RunRow;
use contracts::{RunId, Verdict};
use jiff::Timestamp;
use serde::Serialize;

use super::Dashboard;
use super::compact::{sentence, time};
use crate::text;

/// Decisions of a model that are shown without its script.
const DECISIONS: usize = 5;
/// Refused files that are shown.
const REFUSED: usize = 20;

/// A candidate that is held, and nobody has approved or rejected.
#[derive(Serialize)]
pub(super) struct Hold {
    model: String,
    run: String,
    since: String,
    reason: String,
    figures: Figures,
    /// The command that approves.
    approve: String,
}

/// The last decisions on a model.
#[derive(Serialize)]
pub(super) struct OfModel {
    model: String,
    decisions: Vec<Decided>,
}

#[derive(Serialize)]
struct Decided {
    run: String,
    at: String,
    style: &'static str,
    label: String,
    /// What started it.
    by: &'static str,
    reason: String,
    figures: Figures,
}

/// What it was decided by; `–` where there is none.
#[derive(Serialize)]
struct Figures {
    candidate: String,
    champion: String,
    naive: String,
    metric: String,
    threshold: String,
    /// Candidate and champion on the champion's own holdout; empty where they were not compared on it.
    on_champions: String,
}

/// A file, or what else a run would have been made of, that started nothing.
#[derive(Serialize)]
pub(super) struct Refused {
    file: String,
    kind: String,
    at: String,
    reason: String,
}

/// The rows of held candidates that wait for somebody's word, the newest first.
pub(super) fn held(dashboard: &Dashboard) -> Vec<&RunRow> {
    let models: BTreeSet<&str> = dashboard.models.iter().map(|model| model.name.as_str()).collect();
    let is = |row: &RunRow, verdict: Verdict| row.decision.as_deref() == Some(verdict.to_string().as_str());
    // A promotion that has failed leaves the candidate held.
    let settled: BTreeSet<(&str, &str)> = dashboard
        .runs
        .iter()
        .filter(|row| row.kind == "promotion")
        .filter(|row| is(row, Verdict::Exported) || is(row, Verdict::RejectedByPerson))
        .filter_map(|row| Some((row.model.as_str(), row.source.as_deref()?)))
        .collect();
    let mut held: Vec<&RunRow> = dashboard
        .runs
        .iter()
        .filter(|row| row.kind == "training" && is(row, Verdict::Held))
        .filter(|row| models.contains(row.model.as_str()))
        .filter(|row| !settled.contains(&(row.model.as_str(), row.run_id.to_string().as_str())))
        .collect();
    held.sort_by_key(|row| std::cmp::Reverse(order(row)));
    held
}

/// The same for people.
pub(super) fn holds(dashboard: &Dashboard) -> Vec<Hold> {
    let hold = |row: &RunRow| {
        let words = format!(
            "approve {} {} {} --reason \"...\"",
            dashboard.use_case, row.model, row.run_id
        );
        Hold {
            model: text::shown(&row.model),
            run: row.run_id.to_string(),
            since: at(row),
            reason: reason(row),
            figures: Figures::new(row),
            approve: contracts::command(&dashboard.stack, &words),
        }
    };
    held(dashboard).into_iter().map(hold).collect()
}

/// The last decisions on each model, the newest first; models that nothing was decided on are left out.
pub(super) fn decisions(dashboard: &Dashboard) -> Vec<OfModel> {
    let of_model = |name: &str| {
        let mut rows: Vec<&RunRow> = dashboard
            .runs
            .iter()
            .filter(|row| row.model == name && row.decision.is_some())
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(order(row)));
        OfModel {
            model: text::shown(name),
            decisions: rows.into_iter().take(DECISIONS).map(Decided::new).collect(),
        }
    };
    let models = dashboard.models.iter().map(|model| of_model(&model.name));
    models.filter(|model| !model.decisions.is_empty()).collect()
}

/// The files that were refused last, the newest first, and how many more there are. One that was told of twice is one.
pub(super) fn refused(dashboard: &Dashboard) -> (Vec<Refused>, usize) {
    let mut rows: Vec<&RunRow> = dashboard.runs.iter().filter(|row| is_refused(row)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(order(row)));
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert((&row.run_id, row.source.as_deref())));
    let more = rows.len().saturating_sub(REFUSED);
    let refused = rows.into_iter().take(REFUSED).map(|row| Refused {
        file: text::shown(row.source.as_deref().unwrap_or_default()),
        kind: text::shown(&row.kind),
        at: at(row),
        reason: reason(row),
    });
    (refused.collect(), more)
}

/// Whether a row is of what started no run.
pub(super) fn is_refused(row: &RunRow) -> bool {
    row.status == "REFUSED"
}

/// The newest row is the last.
pub(super) fn order(row: &RunRow) -> (Option<Timestamp>, &RunId) {
    (row.stopped_at.or(row.started_at), &row.run_id)
}

/// How a run ended, in a mark and in words.
pub(super) fn outcome(row: &RunRow) -> (&'static str, String) {
    let (style, label) = match row.decision.as_deref() {
        Some("exported") => ("clean", "Exported"),
        Some("held") => ("drifted", "Held"),
        Some("rejected-threshold") => ("none", "Rejected: over the threshold"),
        Some("rejected-champion") => ("none", "Rejected: no better than the champion"),
        Some("rejected-naive") => ("none", "Rejected: no better than naive"),
        Some("rejected-by-person") => ("none", "Rejected by a person"),
        Some("superseded") => ("disabled", "Superseded"),
        Some("failed") => ("error", "Failed"),
        Some("refused") => ("drifted", "Refused"),
        Some(other) => return ("none", text::shown(other)),
        None if row.status == "SUCCEEDED" => ("clean", "Succeeded"),
        None => return ("error", text::shown(&row.status.to_lowercase().replace('_', " "))),
    };
    (style, label.to_owned())
}

impl Decided {
    fn new(row: &RunRow) -> Self {
        let (style, label) = outcome(row);
        Self {
            run: row.run_id.to_string(),
            at: at(row),
            style,
            label,
            by: match row.started_by.as_str() {
                "drop" => "a dropped file",
                "drift" => "drift",
                "person" => "a person",
                _ => "nobody knows whom",
            },
            reason: reason(row),
            figures: Figures::new(row),
        }
    }
}

impl Figures {
    fn new(row: &RunRow) -> Self {
        let rmse = |value: Option<f64>| text::significant(value.unwrap_or(f64::NAN), 4);
        let own = (row.candidate_rmse_on_champions, row.champion_rmse_on_champions);
        Self {
            candidate: rmse(row.candidate_rmse),
            champion: rmse(row.champion_rmse),
            naive: rmse(row.naive_rmse),
            metric: rmse(row.metric_rmse),
            threshold: rmse(row.threshold_rmse),
            on_champions: match own {
                (Some(candidate), Some(champion)) => format!("{} to {}", rmse(Some(candidate)), rmse(Some(champion))),
                _ => String::new(),
            },
        }
    }
}

fn at(row: &RunRow) -> String {
    let (at, _) = order(row);
    at.map_or_else(|| "–".to_owned(), |at| time(at.as_second()))
}

fn reason(row: &RunRow) -> String {
    row.reason.as_deref().map(sentence).unwrap_or_default()
}
