//! A use case at a glance, for the page of all of them.

use contracts::reporting::ALL;

use super::{Dashboard, Model, decided, windows};
use crate::index::{self, Ended, Overview, Run};

/// What the page of all use cases shows of this one.
pub fn overview(dashboard: &Dashboard) -> Overview {
    let held = decided::held(dashboard);
    let holds = |name: &str| held.iter().filter(|row| row.model == name).count() as u64;
    Overview {
        description: dashboard.description.clone(),
        target: dashboard.target.clone(),
        made_at: dashboard.generated_at,
        models: dashboard
            .models
            .iter()
            .map(|model| of_model(model, holds(&model.name)))
            .collect(),
        last_run: last_run(dashboard),
    }
}

fn of_model(model: &Model, holds: u64) -> index::Model {
    let outcome = |row: &contracts::reporting::DriftRow| windows::outcome(&row.outcome);
    // Of a window that was made twice the later run counts.
    let newest = model.drift.iter().map(|row| (row.window, &row.run_id)).max();
    // What a former champion has answered says nothing of the one that serves now.
    let present = model.champion.as_ref().map(|champion| &champion.run_id);
    let is_former = |row: &contracts::reporting::DriftRow| {
        let answered = row.champion.as_ref();
        answered.is_some() && present.is_some() && answered != present
    };
    let of_newest = model
        .drift
        .iter()
        .filter(|row| Some((row.window, &row.run_id)) == newest && !is_former(row));
    let drifted = model
        .drift
        .iter()
        .filter(|row| outcome(row) == drift_document::Outcome::Drifted);
    index::Model {
        name: model.name.clone(),
        champion: model.champion.as_ref().map(|champion| index::Champion {
            run_id: champion.run_id.to_string(),
            since: champion.exported_at,
            holdout_rmse: champion.holdout_rmse,
        }),
        holds,
        watched: of_newest
            .map(outcome)
            .max_by_key(|outcome| windows::rank(*outcome))
            .map(|outcome| outcome.as_str().to_owned()),
        drifted_at: drifted.map(|row| row.window_to).max(),
    }
}

/// Monitoring runs are left out: there are many, and drift tells of them.
fn last_run(dashboard: &Dashboard) -> Option<Run> {
    let others = || dashboard.runs.iter().filter(|row| row.kind != "monitoring");
    let newest = others().max_by_key(|row| decided::order(row))?;
    let is_refused = decided::is_refused(newest);
    let rows = others()
        .filter(|row| row.run_id == newest.run_id && row.kind == newest.kind)
        .filter(|row| decided::is_refused(row) == is_refused);
    let outcomes = rows.map(|row| {
        let (style, label) = decided::outcome(row);
        Ended {
            model: Some(row.model.clone()).filter(|model| model != ALL),
            style: style.to_owned(),
            label,
        }
    });
    Some(Run {
        run_id: newest.run_id.to_string(),
        kind: newest.kind.clone(),
        at: decided::order(newest).0,
        outcomes: outcomes.collect(),
    })
}
