//! The notice of a rejection.

use crate::rules::number;
use contracts::{Champion, Decision, Notice, Severity, Verdict, places};

/// What people are told of a rejected candidate, and of the champion that stays.
pub fn notice(decision: &Decision, verdict: Verdict, champion: Option<&Champion>) -> Notice {
    let run = &decision.run;
    let stays = champion.map_or_else(
        || "There is still no champion.".to_owned(),
        |champion| format!("Champion {} stays.", champion.run_id),
    );
    let text = format!(
        "The {} model of run {} was rejected: {}. {stays}",
        run.model, run.run_id, decision.reason
    );
    let headline = format!("{} candidate rejected", run.model);
    let mut notice = Notice::new(&run.use_case, Severity::Warning, &headline, &text)
        .line("use case", &run.use_case)
        .line("model", &run.model)
        .line("run", &run.run_id)
        .line("decision", verdict);
    if let Some(check) = &decision.threshold {
        let value = check
            .value_rmse
            .map_or_else(|| "none, training diverged".to_owned(), number);
        notice = notice
            .line("metric", &check.metric)
            .line("value", value)
            .line("threshold", number(check.threshold_rmse));
    }
    if let Some(comparison) = &decision.comparison {
        let rmse = |value: Option<f64>| value.map_or_else(|| "no RMSE".to_owned(), number);
        notice = notice
            .line("RMSE", rmse(comparison.candidate_rmse))
            .line("champion RMSE", rmse(comparison.champion_rmse))
            .line(
                "needed gain",
                format!("{} %", number(100.0 * comparison.min_improvement)),
            )
            .line("holdout rows", comparison.holdout_rows);
    }
    notice
        .line(
            "champion run",
            champion.map_or_else(|| "none".to_owned(), |champion| champion.run_id.to_string()),
        )
        .line("details", places::uri(&run.bucket, &run.places().decision(&run.model)))
}
