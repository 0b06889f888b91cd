//! The rows of a run for queries: one per model, or one for the model `all`.

use crate::message::training::ModelEnd;
use crate::run::Run;
use contracts::PreprocessSummary;
use contracts::places::Table;
use contracts::reporting::{RunRow, day};
use contracts::run::RunKind;
use contracts::scoring::ScoringSummary;

/// The model in rows of runs that are not about a single model.
const ALL: &str = "all";

/// A row and the key of its object: one object each, so that an end that is reported twice writes the same.
pub(crate) type Placed = (String, RunRow);

/// The rows of a training run or a promotion: one per model, with the numbers of its decision.
pub(crate) fn training(run: &Run, models: &[ModelEnd], summary: &PreprocessSummary) -> Vec<Placed> {
    let Some(common) = common(run) else {
        return Vec::new();
    };
    if models.is_empty() {
        return place(run, common).into_iter().collect();
    }
    let mut lost = summary.dropped_in_words();
    lost.extend(summary.duplicates_in_words());
    lost.extend(summary.unreadable.iter().map(ToString::to_string));
    let rows = models.iter().map(|end| {
        let (verdict, reason) = end.verdict().unzip();
        let decision = end.decision();
        let threshold = decision.and_then(|decision| decision.threshold.as_ref());
        let comparison = decision.and_then(|decision| decision.comparison.as_ref());
        let own = comparison.and_then(|comparison| comparison.champions_holdout.as_ref());
        let promoted = decision.and_then(|decision| decision.promoted.as_ref());
        RunRow {
            model: end.model.clone(),
            decision: verdict.map(|verdict| verdict.to_string()),
            reason: with(reason.map(str::to_owned).or_else(|| common.reason.clone()), &lost),
            metric_rmse: threshold.and_then(|check| check.value_rmse),
            threshold_rmse: threshold.map(|check| check.threshold_rmse),
            candidate_rmse: comparison
                .and_then(|comparison| comparison.candidate_rmse)
                .or(promoted.map(|promoted| promoted.holdout_rmse)),
            champion_rmse: comparison.and_then(|comparison| comparison.champion_rmse),
            candidate_rmse_on_champions: own.map(|own| own.candidate_rmse),
            champion_rmse_on_champions: own.map(|own| own.champion_rmse),
            naive_rmse: comparison.and_then(|comparison| comparison.naive_rmse),
            champion: comparison.and_then(|comparison| comparison.champion_run_id.clone()),
            ..common.clone()
        }
    });
    rows.filter_map(|row| place(run, row)).collect()
}

/// The rows of a scoring run.
pub(crate) fn scoring(run: &Run, summary: Option<&ScoringSummary>) -> Vec<Placed> {
    let unreadable = summary.into_iter().flat_map(|summary| &summary.unreadable);
    let unreadable: Vec<String> = unreadable.map(ToString::to_string).collect();
    let row = common(run).map(|common| RunRow {
        scored_rows: summary.map(|summary| summary.scored),
        rejected_rows: summary.map(|summary| summary.rejected),
        reason: with(common.reason.clone(), &unreadable),
        ..common
    });
    row.and_then(|row| place(run, row)).into_iter().collect()
}

/// A reason, followed by what was lost of the file: the dashboard shows both with the run.
fn with(reason: Option<String>, lost: &[String]) -> Option<String> {
    let told: Vec<String> = reason.into_iter().chain(lost.iter().cloned()).collect();
    Some(told.join("; ")).filter(|told| !told.is_empty())
}

/// The rows of a monitoring run.
pub(crate) fn monitoring(run: &Run) -> Vec<Placed> {
    let model = run.watched().map_or_else(|| ALL.to_owned(), |watched| watched.model);
    let row = common(run).map(|common| RunRow { model, ..common });
    row.and_then(|row| place(run, row)).into_iter().collect()
}

/// The place of a row; `None` when the event does not say when the run was.
fn place(run: &Run, row: RunRow) -> Option<Placed> {
    let time = row.started_at.or(row.stopped_at)?;
    let name = format!("{}.jsonl", row.run_id);
    let key = Table::Runs.key(run.use_case.as_ref()?, &row.model, day(time), &name);
    Some((key, row))
}

/// The fields that all rows of the run share; `None` when there is no place for rows.
fn common(run: &Run) -> Option<RunRow> {
    let kind = match run.kind() {
        RunKind::Training => "training",
        RunKind::Scoring => "scoring",
        RunKind::Monitoring => "monitoring",
        RunKind::Promotion => "promotion",
    };
    Some(RunRow {
        model: ALL.to_owned(),
        run_id: run.run_id.clone()?,
        kind: kind.to_owned(),
        started_by: run.started_by().to_owned(),
        source: run.source(),
        status: run.end.status.as_str().to_owned(),
        started_at: run.end.started_at,
        stopped_at: run.end.stopped_at,
        decision: None,
        reason: run.end.failure.as_ref().map(|failure| failure.cause.clone()),
        metric_rmse: None,
        threshold_rmse: None,
        candidate_rmse: None,
        champion_rmse: None,
        candidate_rmse_on_champions: None,
        champion_rmse_on_champions: None,
        naive_rmse: None,
        champion: None,
        scored_rows: None,
        rejected_rows: None,
    })
}
