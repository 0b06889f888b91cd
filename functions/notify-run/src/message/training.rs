//! The notice of a training run's end.

use crate::event::{End, Said, Status};
use crate::run::Run;
use contracts::{Decision, Notice, Severity, Verdict};

/// What became of a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The run's decision, and its reason.
    Decided(Verdict, String),
    /// The run ended before its decision.
    Undecided,
    /// There is a decision that doesn't read.
    Unreadable(String),
}

/// A model's end, with the document that tells it where there is one.
#[derive(Clone, Debug)]
pub(crate) struct ModelEnd {
    pub model: String,
    pub outcome: Outcome,
    decision: Option<Decision>,
}

/// A run that ended before it could bring its endpoint back to the champion.
const TICK: &str = "what served before, unless the run was at its endpoint: then the champion is brought back by the first tick \
                    that finds its lease expired, and you are told";

impl ModelEnd {
    /// `decision`: the document, or why it doesn't read. `said`: what the machine says of the model, if anything.
    pub fn of(model: &str, decision: Result<Option<Decision>, String>, said: Option<&Said>) -> Self {
        let outcome = match (&decision, said) {
            (
                Ok(Some(Decision {
                    decision: Some(verdict),
                    reason,
                    ..
                })),
                _,
            ) => Outcome::Decided(*verdict, reason.clone()),
            (_, Some(said)) => Outcome::Decided(said.decision, said.reason.clone()),
            (Ok(_), None) => Outcome::Undecided,
            (Err(reason), None) => Outcome::Unreadable(reason.clone()),
        };
        Self {
            model: model.to_owned(),
            outcome,
            decision: decision.ok().flatten(),
        }
    }

    pub fn decision(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }

    /// What the model's endpoint serves, where the run's end leaves a doubt.
    fn serves(&self) -> Option<&str> {
        let left = self.decision.as_ref().and_then(|decision| decision.serves.as_deref());
        match self.outcome {
            Outcome::Decided(Verdict::Exported, _) => None,
            Outcome::Decided(..) => left,
            Outcome::Undecided | Outcome::Unreadable(_) => Some(left.unwrap_or(TICK)),
        }
    }

    pub fn verdict(&self) -> Option<(Verdict, &str)> {
        match &self.outcome {
            Outcome::Decided(verdict, reason) => Some((*verdict, reason)),
            Outcome::Undecided | Outcome::Unreadable(_) => None,
        }
    }
}

/// What people are told: in the headline how it ended, below it why.
pub(crate) fn notice(run: &Run, models: &[ModelEnd]) -> Notice {
    let text = format!("{} {}", super::opening(run, "Run"), summary(models));
    let headline = format!(
        "run {} {}{}",
        run.end.name,
        super::ended(run.end.status),
        details(&run.end, models)
    );
    let severity = severity(run.end.status, models);
    let mut notice = Notice::new(run.use_case_or_unknown(), severity, &headline, text.trim_end());
    for end in models {
        notice = notice.line(&end.model, explain(&end.outcome));
        notice = told(notice, end);
        if let Some(serves) = end.serves() {
            notice = notice.line("serves", serves);
        }
    }
    super::ending(notice, &run.end)
}

fn severity(status: Status, models: &[ModelEnd]) -> Severity {
    let any = |test: fn(&Outcome) -> bool| models.iter().any(|end| test(&end.outcome));
    if status != Status::Succeeded || any(|outcome| matches!(outcome, Outcome::Decided(Verdict::Failed, _))) {
        Severity::Error
    } else if any(|outcome| !matches!(outcome, Outcome::Decided(Verdict::Exported | Verdict::Superseded, _))) {
        Severity::Warning
    } else {
        Severity::Info
    }
}

/// What the headline says after the end: each decision, or else what failed.
fn details(end: &End, models: &[ModelEnd]) -> String {
    let decisions: Vec<String> = models
        .iter()
        .filter_map(|end| Some(format!("{} {}", end.model, end.verdict()?.0)))
        .collect();
    if decisions.is_empty() {
        super::failure_in_short(end)
    } else {
        format!(": {}", decisions.join(", "))
    }
}

fn summary(models: &[ModelEnd]) -> String {
    if models.is_empty() {
        return String::new();
    }
    let exported = models
        .iter()
        .filter(|end| matches!(end.outcome, Outcome::Decided(Verdict::Exported, _)))
        .count();
    match (exported, models.len()) {
        (1, 1) => "Its model was exported and serves now.".to_owned(),
        (0, 1) => "Its model was not exported; what served before serves on.".to_owned(),
        (0, all) => format!("None of its {all} models was exported; what served before serves on."),
        (exported, all) if exported == all => format!("All of its {all} models were exported and serve now."),
        (1, all) => format!("1 of its {all} models was exported and serves now; for the others, what served before."),
        (exported, all) => {
            format!("{exported} of its {all} models were exported and serve now; for the others, what served before.")
        }
    }
}

/// What the gate had to say beside its verdict.
fn told(mut notice: Notice, end: &ModelEnd) -> Notice {
    let Some((verdict, reason)) = end.verdict() else {
        return notice;
    };
    let comparison = end.decision().and_then(|decision| decision.comparison.as_ref());
    let doubts = comparison.iter().flat_map(|it| &it.doubts).map(|it| ("doubt", it));
    let notes = comparison.iter().flat_map(|it| &it.notes).map(|it| ("note", it));
    for (name, text) in doubts.chain(notes).filter(|(_, text)| !reason.contains(*text)) {
        notice = notice.line(&format!("  {name}"), text);
    }
    match (verdict, end.decision()) {
        (Verdict::Held, Some(decision)) => {
            let run = &decision.run;
            notice.line(
                "  to approve",
                format!(
                    "drivetrain approve {} {} {} --reason \"...\" (or reject)",
                    run.use_case, run.model, run.run_id
                ),
            )
        }
        _ => notice,
    }
}

pub(super) fn explain(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Decided(verdict, reason) => format!("{verdict}: {reason}"),
        Outcome::Undecided => "no decision".to_owned(),
        Outcome::Unreadable(reason) => format!("no readable decision: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(outcome: Outcome) -> ModelEnd {
        ModelEnd {
            model: "m".to_owned(),
            outcome,
            decision: None,
        }
    }

    #[test]
    fn what_serves_is_said_of_every_model_that_was_not_exported() {
        let left = |verdict: Option<&str>| {
            let decision = serde_json::json!({
                "bucket": "b", "use_case": "cars", "model": "m", "run_id": "20261122t183000z-ab12cd34", "reason": "r",
                "decision": verdict, "serves": "champion c serves", "decided_at": "2026-11-22T18:30:00Z",
            });
            ModelEnd::of("m", Ok(serde_json::from_value(decision).unwrap()), None)
        };
        for verdict in [Some("failed"), Some("superseded"), None] {
            assert_eq!(left(verdict).serves(), Some("champion c serves"), "{verdict:?}");
        }
        assert_eq!(left(Some("exported")).serves(), None);
        assert_eq!(ModelEnd::of("m", Ok(None), None).serves(), Some(TICK));
    }

    #[test]
    fn severity_is_that_of_the_worst() {
        let of = |status, verdicts: &[Verdict]| {
            let models: Vec<_> = verdicts
                .iter()
                .map(|verdict| end(Outcome::Decided(*verdict, String::new())))
                .collect();
            severity(status, &models)
        };
        use Verdict::{Exported, Failed, RejectedChampion, RejectedThreshold, Superseded};
        assert_eq!(of(Status::Succeeded, &[Exported, Superseded]), Severity::Info);
        assert_eq!(of(Status::Succeeded, &[Exported, RejectedThreshold]), Severity::Warning);
        assert_eq!(of(Status::Succeeded, &[RejectedChampion]), Severity::Warning);
        assert_eq!(of(Status::Succeeded, &[Exported, Failed]), Severity::Error);
        assert_eq!(of(Status::Aborted, &[Exported]), Severity::Error);
        assert_eq!(
            severity(Status::Succeeded, &[end(Outcome::Undecided)]),
            Severity::Warning
        );
    }
}
