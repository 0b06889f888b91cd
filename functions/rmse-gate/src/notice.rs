//! The notice of a candidate that was rejected or held.

use crate::rules::number;
use contracts::decision::{Comparison, rows_in_words};
use contracts::{Champion, Decision, Notice, Severity, Verdict, places};

/// The notice of a candidate that does not become the champion, or not yet, and of what continues to serve.
pub fn of(decision: &Decision, verdict: Verdict, champion: Option<&Champion>, stack: &str) -> Notice {
    let run = &decision.run;
    let stays = champion.map_or_else(
        || "There is still no champion.".to_owned(),
        |champion| format!("Champion {} stays.", champion.run_id),
    );
    let (done, asked) = match verdict {
        Verdict::Held => (
            "held",
            " Nothing happens until somebody approves or rejects it, or a newer file is trained on.",
        ),
        _ => ("rejected", ""),
    };
    let text = format!(
        "The {} model of run {} was {done}: {}. {stays}{asked}",
        run.model, run.run_id, decision.reason
    );
    let headline = format!("{} candidate {done}", run.model);
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
        notice = told(compared(notice, comparison), decision, comparison);
    }
    notice = notice.line(
        "champion run",
        champion.map_or_else(|| "none".to_owned(), |champion| champion.run_id.to_string()),
    );
    // What check-endpoint has found earlier; perhaps nothing answers.
    if let Some(serves) = &decision.serves {
        notice = notice.line("serves", serves);
    }
    notice = notice.line("details", places::uri(&run.bucket, &run.places().decision(&run.model)));
    if verdict == Verdict::Held {
        for (name, command) in [("to approve", "approve"), ("to reject", "reject")] {
            let words = format!(
                "{command} {} {} {} --reason \"...\"",
                run.use_case, run.model, run.run_id
            );
            notice = notice.line(name, contracts::command(stack, &words));
        }
    }
    notice
}

/// The numbers of both holdouts.
fn compared(notice: Notice, comparison: &Comparison) -> Notice {
    let rmse = |value: Option<f64>| value.map_or_else(|| "no RMSE".to_owned(), number);
    let percent = |share: f64| format!("{} %", number(100.0 * share));
    let mut notice = notice
        .line("RMSE", rmse(comparison.candidate_rmse))
        .line("champion RMSE", rmse(comparison.champion_rmse))
        .line("naive RMSE", rmse(comparison.naive_rmse))
        .line("needed gain", percent(comparison.min_improvement))
        .line("holdout rows", of_which_different(comparison));
    if let Some(p_value) = comparison.p_value {
        let level = crate::chance::LEVEL;
        notice = notice.line("by chance", format!("p = {p_value:.4}, at most {level} wins"));
    }
    match &comparison.champions_holdout {
        Some(own) => notice.line(
            "champion's holdout",
            format!(
                "RMSE {}, champion RMSE {}, at first {}; at most {} worse is allowed; {}",
                number(own.candidate_rmse),
                number(own.champion_rmse),
                number(own.reference_rmse),
                percent(own.max_regression),
                rows_in_words(own.rows, own.distinct_rows)
            ),
        ),
        None if comparison.champion_run_id.is_some() => notice.line("champion's holdout", "not scored"),
        None => notice,
    }
}

/// `860`, or `860, 43 different` if there are copies among them.
fn of_which_different(comparison: &Comparison) -> String {
    let rows = comparison.holdout_rows;
    match comparison.distinct_rows.filter(|distinct| *distinct != rows) {
        Some(distinct) => format!("{rows}, {distinct} different"),
        None => rows.to_string(),
    }
}

/// Doubts and notes in addition to the numbers that are not in the text above.
fn told(mut notice: Notice, decision: &Decision, comparison: &Comparison) -> Notice {
    let doubts = comparison.doubts.iter().map(|doubt| ("doubt", doubt));
    for (name, text) in doubts.chain(comparison.notes.iter().map(|note| ("note", note))) {
        if !decision.reason.contains(text) {
            notice = notice.line(name, text);
        }
    }
    notice
}
