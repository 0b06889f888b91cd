//! The notice of a promotion's end: what was requested, and whether it serves now.

use super::training::{ModelEnd, Serves};
use crate::event::Status;
use crate::run::Run;
use contracts::promotion::{Action, asked_by};
use contracts::run::Source;
use contracts::{Decision, Manifest, Notice, Severity, Verdict, words};

/// The notice of the end.
pub(crate) fn notice(run: &Run, models: &[ModelEnd], stack: &str) -> Notice {
    let asked = run.manifest.as_ref().map(|Manifest { source, .. }| source);
    let Some(Source::Promotion {
        promoted_model: model,
        from_run,
        action,
        by,
        reason,
        replaces,
        rerun_by,
        ..
    }) = asked
    else {
        // The manifest can't be read, so the decisions are all that can be reported.
        return super::training::notice(run, models, stack);
    };
    let end = models.iter().find(|end| end.model == *model);
    let verdict = end.and_then(ModelEnd::verdict);
    let serves = end.map_or(Serves::Unchanged, ModelEnd::serves);
    let what = match action {
        Action::Approve => format!("approval of {model}"),
        Action::Rollback => format!("rollback of {model}"),
    };
    let (severity, headline, outcome) = match (run.end.status, verdict) {
        (Status::Succeeded, Some((Verdict::Exported, _))) => (
            Severity::Info,
            format!("{what} by {} succeeded", words::name(by)),
            format!("The model of run {from_run} serves now, as version {}.", run.end.name),
        ),
        (_, Some((Verdict::Exported, _))) => (
            Severity::Error,
            format!("{what} was exported, and then something failed"),
            "It is the champion, but a step after that failed.".to_owned(),
        ),
        (Status::Succeeded, Some((verdict, _))) => (
            Severity::Warning,
            format!("{what}: {verdict}"),
            instead(&serves).to_owned(),
        ),
        (status, _) => (
            Severity::Error,
            format!(
                "{what} {}{}",
                super::ended(status),
                verdict.map_or_else(
                    || super::failure_in_short(&run.end),
                    |(_, reason)| format!(": {reason}")
                )
            ),
            instead(&serves).to_owned(),
        ),
    };
    let opening = super::opening(run, &format!("The {what}, run"));
    let text = format!("{opening} {outcome}");
    let mut notice = Notice::new(run.use_case_or_unknown(), severity, &headline, &text)
        .line("asked for by", asked_by(by, rerun_by.as_deref()))
        .line("because", reason)
        .line("model of run", from_run)
        .line(
            "in place of",
            replaces.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
        );
    if let Some(promoted) = end
        .and_then(ModelEnd::decision)
        .and_then(|it: &Decision| it.promoted.as_ref())
    {
        notice = notice.line(
            "its RMSE",
            format!(
                "{} on the {} of its holdout",
                words::number(promoted.holdout_rmse),
                words::counted(promoted.holdout_rows, "row", "rows")
            ),
        );
    }
    if let Some(end) = end {
        notice = notice.line(model, super::training::explain(&end.outcome));
    }
    if let Serves::Said(serves) = serves {
        notice = notice.line("serves", serves);
    }
    super::ending(notice, &run.end)
}

/// What serves when the promotion was not carried out.
fn instead(serves: &Serves) -> &'static str {
    match serves {
        Serves::Candidate | Serves::Unchanged => "It has changed nothing that serves.",
        Serves::Nothing => "Nothing serves yet.",
        Serves::Said(_) => "What serves is said below.",
    }
}
