//! The notice of a training run's end.

use crate::endpoint::{Endpoint, Visit};
use crate::event::{End, Said, Status};
use crate::run::Run;
use contracts::{Decision, Notice, Severity, Verdict};

/// The outcome for a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The run's decision, and its reason.
    Decided(Verdict, String),
    /// The run ended before it had a decision.
    Undecided,
    /// There is a decision, but it can't be read.
    Unreadable(String),
}

/// The end of a model, with its decision document if there is one.
#[derive(Clone, Debug)]
pub(crate) struct ModelEnd {
    pub model: String,
    pub outcome: Outcome,
    decision: Option<Decision>,
    endpoint: Endpoint,
}

/// What a model's endpoint serves after a run has ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Serves {
    /// The run's candidate: it was exported.
    Candidate,
    /// What served before, if anything did: the run has not worked on the endpoint, or another run has since.
    Unchanged,
    /// Nothing: there is no champion.
    Nothing,
    /// What the sentence in the run's decision says.
    Said(String),
}

/// For a run that ended before it could bring its endpoint back to the champion.
const TICK: &str = "what served before, unless the run had begun to change the endpoint: then the champion is brought back by \
                    the first tick, at most 15 minutes after the endpoint has come to rest, and you are told";

impl ModelEnd {
    /// `decision`: the document, or why it can't be read. `said`: what the machine says about the model, if anything.
    pub fn of(
        model: &str,
        decision: Result<Option<Decision>, String>,
        said: Option<&Said>,
        endpoint: Endpoint,
    ) -> Self {
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
            endpoint,
        }
    }

    pub fn decision(&self) -> Option<&Decision> {
        self.decision.as_ref()
    }

    /// What the model's endpoint serves: what the run has recorded about it on its way out, unless it has held the
    /// lease again since.
    pub(super) fn serves(&self) -> Serves {
        let Endpoint { visit, has_champion } = self.endpoint;
        let left = self.decision.as_ref().and_then(|decision| decision.serves.as_ref());
        match (&self.outcome, left) {
            (Outcome::Decided(Verdict::Exported, _), _) => Serves::Candidate,
            (_, Some(left)) if visit != Visit::ToItsEnd => Serves::Said(left.clone()),
            _ if !has_champion => Serves::Nothing,
            _ if visit != Visit::Never => Serves::Said(TICK.to_owned()),
            _ => Serves::Unchanged,
        }
    }

    pub fn verdict(&self) -> Option<(Verdict, &str)> {
        match &self.outcome {
            Outcome::Decided(verdict, reason) => Some((*verdict, reason)),
            Outcome::Undecided | Outcome::Unreadable(_) => None,
        }
    }
}

/// The notice of the end: the headline says how it ended, the text says why.
pub(crate) fn notice(run: &Run, models: &[ModelEnd], stack: &str) -> Notice {
    let text = format!("{} {}", super::opening(run, "Run"), summary(models));
    let headline = format!(
        "run {} {}{}",
        run.end.name,
        super::ended(run.end.status),
        details(&run.end, models)
    );
    let severity = severity(run.end.status, models);
    let others = others(models);
    let mut notice = Notice::new(run.use_case_or_unknown(), severity, &headline, text.trim_end());
    for end in models {
        notice = notice.line(&end.model, explain(&end.outcome));
        notice = told(notice, end, stack);
        let serves = match end.serves() {
            Serves::Said(said) => said,
            Serves::Unchanged if others.is_none() => "as before: the run has changed nothing".to_owned(),
            Serves::Nothing if others.is_none() => "nothing: there is no champion yet".to_owned(),
            Serves::Candidate | Serves::Unchanged | Serves::Nothing => continue,
        };
        notice = notice.line("serves", serves);
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

/// The end of the headline: each model's decision, or else what failed.
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
    let others = others(models).unwrap_or("what serves is said below");
    match (exported, models.len()) {
        (1, 1) => "Its model was exported and serves now.".to_owned(),
        (0, 1) => format!("Its model was not exported; {others}."),
        (0, all) => format!("None of its {all} models was exported; {others}."),
        (exported, all) if exported == all => format!("All of its {all} models were exported and serve now."),
        (1, all) => format!("1 of its {all} models was exported and serves now; of the rest, {others}."),
        (exported, all) => {
            format!("{exported} of its {all} models were exported and serve now; of the rest, {others}.")
        }
    }
}

/// What serves for models that were not exported, in a few words; `None` if it has to be said for each model.
fn others(models: &[ModelEnd]) -> Option<&'static str> {
    let serves: Vec<Serves> = models
        .iter()
        .map(ModelEnd::serves)
        .filter(|serves| *serves != Serves::Candidate)
        .collect();
    if serves.iter().all(|serves| *serves == Serves::Unchanged) {
        Some("the run has changed nothing that serves")
    } else if serves.iter().all(|serves| *serves == Serves::Nothing) {
        Some("nothing serves yet")
    } else {
        None
    }
}

/// What the gate has recorded in addition to its verdict.
fn told(mut notice: Notice, end: &ModelEnd, stack: &str) -> Notice {
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
            let words = format!("approve {} {} {} --reason \"...\"", run.use_case, run.model, run.run_id);
            let approve = contracts::command(stack, &words);
            notice.line("  to approve", format!("{approve} (or reject)"))
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
            endpoint: IN_SERVICE,
        }
    }

    const IN_SERVICE: Endpoint = Endpoint {
        visit: Visit::Never,
        has_champion: true,
    };

    #[test]
    fn what_serves_is_said_of_every_model_that_was_not_exported() {
        let left = |verdict: Option<&str>, visit: Visit| {
            let decision = serde_json::json!({
                "bucket": "b", "use_case": "cars", "model": "m", "run_id": "20261122t183000z-ab12cd34", "reason": "r",
                "decision": verdict, "serves": "champion c serves", "decided_at": "2026-11-22T18:30:00Z",
            });
            let endpoint = Endpoint { visit, ..IN_SERVICE };
            ModelEnd::of("m", Ok(serde_json::from_value(decision).unwrap()), None, endpoint).serves()
        };
        let (written, tick) = (
            Serves::Said("champion c serves".to_owned()),
            Serves::Said(TICK.to_owned()),
        );
        for verdict in [Some("failed"), Some("superseded"), None] {
            assert_eq!(left(verdict, Visit::Perhaps), written, "{verdict:?}");
            // It has worked on the endpoint again after it recorded that.
            assert_eq!(left(verdict, Visit::ToItsEnd), tick, "{verdict:?}");
        }
        assert_eq!(left(Some("exported"), Visit::ToItsEnd), Serves::Candidate);
        for (visit, has_champion, serves) in [
            (Visit::Never, true, Serves::Unchanged),
            (Visit::Never, false, Serves::Nothing),
            (Visit::ToItsEnd, true, tick.clone()),
            (Visit::ToItsEnd, false, Serves::Nothing),
            (Visit::Perhaps, true, tick),
        ] {
            let endpoint = Endpoint { visit, has_champion };
            assert_eq!(
                ModelEnd::of("m", Ok(None), None, endpoint).serves(),
                serves,
                "{endpoint:?}"
            );
        }
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
