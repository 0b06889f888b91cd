//! Decides the outcome of a window. An analysis that should have been made and has no readable result is an error,
//! never clean.
//!
//! | baselines | analyses | outcome | reported by |
//! |---|---|---|---|
//! | missing | any | `error` | `BaselinesMissing` |
//! | there | one failed, did not run, or left no readable result | `error` | what failed |
//! | there | one found drift | `drifted` | those that did |
//! | there | one found nothing | `clean` | those that did |
//! | there | only too few rows, or none | `insufficient-data` | all |

use contracts::drift::Outcome;
use contracts::{Drift, Failure};

/// The state of an analysis.
#[derive(Clone, Debug, PartialEq)]
pub enum Analysis {
    /// There was nothing to analyse.
    NotDue,
    /// It should have been made, but was not, or its result can't be used.
    Failed(Failure),
    /// Its result, whose outcome is never `error`.
    Found(Box<Drift>),
}

/// The format that the analyzer's `drift.json` must have.
const FORMAT: u32 = 1;

impl Analysis {
    /// Judges an analysis by the error that the machine caught and by what is in the window's folder.
    ///
    /// `due`: whether there was something to analyse. `caught`: why its job failed. `result`: its `drift.json`, or why
    /// that can't be read; `None` when there is none.
    pub fn of(due: bool, ran: bool, caught: Option<Failure>, result: Option<Result<Drift, String>>) -> Self {
        let failed = |error: &str, cause: String| {
            Self::Failed(Failure {
                error: error.to_owned(),
                cause,
            })
        };
        match (caught, ran, result) {
            (Some(failure), _, _) => Self::Failed(failure),
            (None, false, _) if !due => Self::NotDue,
            (None, false, _) => failed("AnalysisMissing", "its job was not started".to_owned()),
            (None, true, None) => failed("ResultMissing", "its job has left no drift.json".to_owned()),
            (None, true, Some(Err(reason))) => failed("ResultUnreadable", reason),
            (None, true, Some(Ok(drift))) if drift.format != FORMAT => failed(
                "ResultUnreadable",
                format!("drift.json is of format {}, not {FORMAT}", drift.format),
            ),
            (None, true, Some(Ok(drift))) if drift.outcome == Outcome::Error => failed("AnalysisFailed", drift.reason),
            (None, true, Some(Ok(drift))) => Self::Found(Box::new(drift)),
        }
    }

    /// The result, if there is one.
    pub fn found(&self) -> Option<&Drift> {
        match self {
            Self::Found(drift) => Some(drift),
            Self::NotDue | Self::Failed(_) => None,
        }
    }

    /// The result, if its outcome is `outcome`.
    pub fn found_as(&self, outcome: Outcome) -> Option<&Drift> {
        self.found().filter(|drift| drift.outcome == outcome)
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            Self::NotDue | Self::Found(_) => None,
        }
    }
}

/// The analyses of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Analyses {
    /// The comparison of raw columns and predictions with those of training.
    pub data: Analysis,
    /// The comparison of predictions with their ground truth.
    pub quality: Analysis,
}

impl Analyses {
    /// Both analyses, with their names in documents.
    pub fn each(&self) -> [(&'static str, &Analysis); 2] {
        [("data", &self.data), ("quality", &self.quality)]
    }
}

/// The outcome of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The outcome of the window.
    pub outcome: Outcome,
    /// The reason, in one sentence for people.
    pub reason: String,
    /// The names of what failed, `data: States.TaskFailed`; empty unless the outcome is `error`.
    pub failures: Vec<String>,
}

/// Decides the outcome of a window.
pub fn judge(has_baselines: bool, analyses: &Analyses) -> Judgement {
    if !has_baselines {
        return Judgement {
            outcome: Outcome::Error,
            reason: "the champion has no baselines: it is unknown what its live data should look like".to_owned(),
            failures: vec!["BaselinesMissing".to_owned()],
        };
    }
    let failed: Vec<(&str, &Failure)> = analyses
        .each()
        .into_iter()
        .filter_map(|(name, analysis)| Some((name, analysis.failure()?)))
        .collect();
    if !failed.is_empty() {
        let reasons: Vec<String> = failed
            .iter()
            .map(|(name, failure)| format!("the {name} analysis failed: {}", failure.cause))
            .collect();
        return Judgement {
            outcome: Outcome::Error,
            reason: reasons.join("; "),
            failures: failed
                .iter()
                .map(|(name, failure)| format!("{name}: {}", failure.error))
                .collect(),
        };
    }
    let judged = |outcome, reason| Judgement {
        outcome,
        reason,
        failures: Vec::new(),
    };
    for outcome in [Outcome::Drifted, Outcome::Clean, Outcome::InsufficientData] {
        let found = analyses
            .each()
            .into_iter()
            .filter_map(|(name, analysis)| Some((name, analysis.found_as(outcome)?)));
        let reasons: Vec<String> = found.map(|(name, drift)| format!("{name}: {}", drift.reason)).collect();
        if !reasons.is_empty() {
            return judged(outcome, reasons.join("; "));
        }
    }
    judged(Outcome::InsufficientData, "there was nothing to analyse".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::drift::{Samples, Settings};

    fn drift(outcome: Outcome, reason: &str) -> Drift {
        Drift {
            format: 1,
            outcome,
            reason: reason.to_owned(),
            samples: Samples::default(),
            settings: Settings {
                minimum_rows: 100,
                false_discovery_rate: 0.01,
                thresholds: Vec::new(),
            },
            features: Vec::new(),
            segments: Vec::new(),
            quality: None,
            violations: Vec::new(),
        }
    }

    fn found(outcome: Outcome, reason: &str) -> Analysis {
        Analysis::of(true, true, None, Some(Ok(drift(outcome, reason))))
    }

    fn failed(error: &str) -> Analysis {
        let failure = Failure {
            error: error.to_owned(),
            cause: "why".to_owned(),
        };
        Analysis::of(true, true, Some(failure), None)
    }

    fn error_of(analysis: &Analysis) -> &str {
        analysis.failure().map_or("", |failure| failure.error.as_str())
    }

    #[test]
    fn an_analysis_without_a_readable_result_has_failed() {
        let clean = || Some(Ok(drift(Outcome::Clean, "nothing drifted")));
        assert_eq!(Analysis::of(false, false, None, None), Analysis::NotDue);
        // What an earlier attempt has left does not count for this one.
        assert_eq!(error_of(&Analysis::of(true, false, None, clean())), "AnalysisMissing");
        assert_eq!(error_of(&Analysis::of(true, true, None, None)), "ResultMissing");
        let unreadable = Some(Err("no JSON".to_owned()));
        assert_eq!(
            error_of(&Analysis::of(true, true, None, unreadable)),
            "ResultUnreadable"
        );
        let mut newer = drift(Outcome::Clean, "");
        newer.format = 2;
        assert_eq!(
            error_of(&Analysis::of(true, true, None, Some(Ok(newer)))),
            "ResultUnreadable"
        );
        assert_eq!(error_of(&found(Outcome::Error, "no header")), "AnalysisFailed");
        // A job that failed has failed, whatever is in its folder, and even if it was not due.
        let caught = Failure {
            error: "States.TaskFailed".to_owned(),
            cause: "why".to_owned(),
        };
        assert_eq!(
            error_of(&Analysis::of(true, true, Some(caught.clone()), clean())),
            "States.TaskFailed"
        );
        assert_eq!(
            error_of(&Analysis::of(false, false, Some(caught), None)),
            "States.TaskFailed"
        );
        assert!(Analysis::of(true, true, None, clean()).found().is_some());
    }

    #[test]
    fn the_worst_decides_and_an_error_is_never_clean() {
        use Outcome::{Clean, Drifted, Error, InsufficientData};
        let cases = [
            (found(Clean, "d"), Analysis::NotDue, Clean, "data: d"),
            (Analysis::NotDue, found(Clean, "q"), Clean, "quality: q"),
            (found(Clean, "d"), found(Clean, "q"), Clean, "data: d; quality: q"),
            (found(Drifted, "d"), found(Clean, "q"), Drifted, "data: d"),
            (found(Clean, "d"), found(Drifted, "q"), Drifted, "quality: q"),
            (found(Drifted, "d"), found(Drifted, "q"), Drifted, "data: d; quality: q"),
            (found(Drifted, "d"), found(InsufficientData, "q"), Drifted, "data: d"),
            (found(InsufficientData, "d"), found(Clean, "q"), Clean, "quality: q"),
            (found(Clean, "d"), found(InsufficientData, "q"), Clean, "data: d"),
            (
                found(InsufficientData, "d"),
                found(InsufficientData, "q"),
                InsufficientData,
                "data: d; quality: q",
            ),
            (
                Analysis::NotDue,
                Analysis::NotDue,
                InsufficientData,
                "there was nothing to analyse",
            ),
            (failed("E"), found(Drifted, "q"), Error, "the data analysis failed: why"),
            (
                found(Clean, "d"),
                failed("E"),
                Error,
                "the quality analysis failed: why",
            ),
            (
                failed("E"),
                failed("F"),
                Error,
                "the data analysis failed: why; the quality analysis failed: why",
            ),
        ];
        for (data, quality, outcome, reason) in cases {
            let analyses = Analyses { data, quality };
            let judgement = judge(true, &analyses);
            assert_eq!((judgement.outcome, judgement.reason.as_str()), (outcome, reason));
            assert_eq!(judgement.failures.is_empty(), outcome != Error);
            let without = judge(false, &analyses);
            assert_eq!(
                (without.outcome, without.failures),
                (Error, vec!["BaselinesMissing".to_owned()])
            );
        }
    }

    #[test]
    fn failures_are_named() {
        let analyses = Analyses {
            data: failed("States.TaskFailed"),
            quality: Analysis::of(true, true, None, None),
        };
        assert_eq!(
            judge(true, &analyses).failures,
            ["data: States.TaskFailed", "quality: ResultMissing"]
        );
    }
}
