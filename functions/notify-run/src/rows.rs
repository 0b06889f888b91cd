//! The rows of a run for queries: one per model, or one for the model `all`.

use crate::message::training::ModelEnd;
use crate::run::Run;
use contracts::PreprocessSummary;
use contracts::places::Table;
use contracts::reporting::{ALL, RunRow, day};
use contracts::scoring::ScoringSummary;

/// A row and where it goes: a file each, so that the same end told twice writes the same.
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
        let row = RunRow {
            model: end.model.clone(),
            decision: verdict.map(|verdict| verdict.to_string()),
            reason: with(reason.map(str::to_owned).or_else(|| common.reason.clone()), &lost),
            ..common.clone()
        };
        match end.decision() {
            Some(decision) => row.judged_by(decision),
            None => row,
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
    let (kind, started_by, status) = (run.kind().as_str(), run.started_by(), run.end.status.as_str());
    Some(RunRow {
        source: run.source(),
        started_at: run.end.started_at,
        stopped_at: run.end.stopped_at,
        reason: run.end.failure.as_ref().map(|failure| failure.cause.clone()),
        ..RunRow::new(run.run_id.clone()?, kind, started_by, status)
    })
}
