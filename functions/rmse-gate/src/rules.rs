//! The questions of the gate. `docs/gate.md` explains the same rules to users.

use crate::chance;
use contracts::decision::rows_in_words;
use contracts::use_case::{Approval, Gate};
use contracts::{RunId, Verdict, words};

/// An answer, with a sentence that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the candidate passes.
    pub passed: bool,
    /// The reason, in one sentence for people, with the numbers.
    pub reason: String,
}

/// Is the metric strictly under the threshold? No value means that training diverged.
pub fn threshold(metric: &str, value_rmse: Option<f64>, threshold_rmse: f64) -> Judgement {
    let limit = number(threshold_rmse);
    match value_rmse.filter(|value| value.is_finite()) {
        Some(value) if value < threshold_rmse => Judgement {
            passed: true,
            reason: format!("{metric} of {} is under the threshold of {limit}", number(value)),
        },
        Some(value) => Judgement {
            passed: false,
            reason: format!("{metric} of {} is not under the threshold of {limit}", number(value)),
        },
        None => Judgement {
            passed: false,
            reason: format!("{metric} is not a finite number: training diverged (the threshold is {limit})"),
        },
    }
}

/// What is known once the candidate has been scored.
#[derive(Clone, Debug, PartialEq)]
pub struct Contest {
    /// The candidate's RMSE on the holdout of this run, in the target's unit.
    pub candidate_rmse: f64,
    /// Number of rows in that holdout.
    pub holdout_rows: u64,
    /// How many of these rows are different: copies are no evidence.
    pub distinct_rows: u64,
    /// The RMSE of the naive baseline on it; `None` if the run has computed none.
    pub naive_rmse: Option<f64>,
    /// Whether drift has started the run: then a change in the data is expected, and no reason for doubt.
    pub started_by_drift: bool,
    /// The champion that the candidate is compared with.
    pub opponent: Opponent,
}

/// The champion that the candidate is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Opponent {
    /// None: the model has no champion yet.
    None,
    /// A champion with other raw columns, which can't score this holdout; with how the target has drifted since the
    /// champion's own holdout, if it has.
    OtherSchema(RunId, Option<String>),
    /// A champion whose own model could not score the holdout, and why.
    NotScored(RunId, String),
    /// A champion that was scored on the same rows.
    Scored(RunId, Duel),
}

impl Opponent {
    /// Its run.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::None => None,
            Self::OtherSchema(run, _) | Self::NotScored(run, _) | Self::Scored(run, _) => Some(run),
        }
    }

    /// Its scores, if it was scored.
    pub fn duel(&self) -> Option<&Duel> {
        match self {
            Self::Scored(_, duel) => Some(duel),
            _ => None,
        }
    }
}

/// A champion's scores, together with the candidate's; all are finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Duel {
    /// The champion's RMSE on the holdout of this run.
    pub champion_rmse: f64,
    /// The probability that an equally good candidate looks at least this much better.
    pub p_value: f64,
    /// The scores of both on the champion's own holdout; `None` if that is gone.
    pub own: Option<Own>,
}

/// The scores of both on the champion's own holdout.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    /// Number of rows in that holdout.
    pub rows: u64,
    /// How many of these rows are different.
    pub distinct_rows: u64,
    /// The candidate's RMSE.
    pub candidate_rmse: f64,
    /// The champion's RMSE.
    pub champion_rmse: f64,
    /// The RMSE on this holdout of the champion of the run that made it.
    pub reference_rmse: f64,
    /// The RMSEs of candidate and champion over the different rows of both holdouts together.
    pub together_rmse: (f64, f64),
    /// How the target has drifted since that holdout, if it has.
    pub target_drift: Option<String>,
}

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict that ends the run; `None` when the candidate wins.
    pub verdict: Option<Verdict>,
    /// The reason, in one sentence for people, with the numbers.
    pub reason: String,
    /// Reasons why the numbers may be misleading.
    pub doubts: Vec<String>,
    /// Remarks in addition to the reason.
    pub notes: Vec<String>,
}

/// Is the candidate better than the naive baseline, and than the champion?
pub fn comparison(contest: &Contest, gate: &Gate) -> Outcome {
    let mut outcome = Outcome::default();
    let reached = reached(contest);
    let ends = |verdict: Verdict, reason: String| Outcome {
        verdict: Some(verdict),
        reason,
        ..Outcome::default()
    };
    if contest.distinct_rows < gate.min_holdout_rows {
        // If there is a comparable champion, it continues to serve; if there is none, people may start with this
        // candidate.
        let verdict = match contest.opponent {
            Opponent::None | Opponent::OtherSchema(..) => Verdict::Held,
            _ => Verdict::RejectedChampion,
        };
        return ends(
            verdict,
            format!(
                "a holdout of {} decides nothing: at least {} are needed (gate.min_holdout_rows); {}",
                different_rows(contest.distinct_rows, contest.holdout_rows),
                gate.min_holdout_rows,
                on_the_holdout(contest.candidate_rmse)
            ),
        );
    }
    match contest.naive_rmse {
        Some(naive) if gate.beat_naive && contest.candidate_rmse >= naive => {
            return ends(
                Verdict::RejectedNaive,
                format!(
                    "{reached} is no better than {}, that of the naive baseline, a median",
                    number(naive)
                ),
            );
        }
        None if gate.beat_naive => outcome
            .doubts
            .push("the run has computed no naive baseline to compare with".to_owned()),
        _ => {}
    }
    match &contest.opponent {
        Opponent::None => outcome.reason = format!("the first champion: {reached}, nothing to compare with"),
        Opponent::OtherSchema(run, target) => {
            outcome.reason = format!("{reached}; champion {run} has another schema and can't be compared");
            told_or_doubted(contest.started_by_drift, &mut outcome).extend(target.clone());
        }
        Opponent::NotScored(run, why) => {
            outcome.reason = format!("{reached}; champion {run} can't be scored");
            outcome.doubts.push(format!("champion {run} can't be scored: {why}"));
        }
        Opponent::Scored(run, duel) => against(run, duel, contest, gate, &mut outcome),
    }
    outcome
}

/// The candidate's RMSE, and the number of rows it is based on if copies are among them.
fn reached(contest: &Contest) -> String {
    let reached = on_the_holdout(contest.candidate_rmse);
    if contest.distinct_rows == contest.holdout_rows {
        return reached;
    }
    format!(
        "{reached} ({})",
        rows_in_words(contest.holdout_rows, Some(contest.distinct_rows))
    )
}

fn on_the_holdout(rmse: f64) -> String {
    format!("RMSE {} on the holdout", number(rmse))
}

/// `99 rows`, or `48 different rows (960 with their copies)` if there are copies.
fn different_rows(distinct: u64, all: u64) -> String {
    if distinct == all {
        return words::counted(all, "row", "rows");
    }
    let different = words::counted(distinct, "different row", "different rows");
    format!("{different} ({} with their copies)", words::count(all))
}

/// Compares both on the new holdout, and then on the champion's.
fn against(run: &RunId, duel: &Duel, contest: &Contest, gate: &Gate, outcome: &mut Outcome) {
    let champion_rmse = duel.champion_rmse;
    let reached = reached(contest);
    let champion = format!("champion {run}'s {}", number(champion_rmse));
    let own = duel.own.as_ref().map_or_else(String::new, |own| {
        format!(
            "; on the champion's own holdout {} against {}",
            number(own.candidate_rmse),
            number(own.champion_rmse)
        )
    });
    let needed = champion_rmse * (1.0 - gate.min_improvement);
    let lost = if contest.candidate_rmse < needed {
        let chance = duel.p_value > chance::LEVEL;
        chance.then(|| {
            format!(
                "{reached} is better than {champion}, but by no more than chance: an equal candidate looks as good in \
                 {} of 100 cases, and {} are accepted",
                number(100.0 * duel.p_value),
                number(100.0 * chance::LEVEL)
            )
        })
    } else if contest.candidate_rmse < champion_rmse {
        let margin = number(100.0 * gate.min_improvement);
        Some(format!("{reached} is not {margin} % better than {champion}"))
    } else if contest.candidate_rmse > champion_rmse {
        Some(format!("{reached} is worse than {champion}"))
    } else {
        Some(format!("{reached} equals champion {run}'s: the champion stays"))
    };
    if let Some(reason) = lost {
        outcome.verdict = Some(Verdict::RejectedChampion);
        outcome.reason = reason + &own;
        return;
    }
    outcome.reason = format!("{reached} is better than {champion}{own}");
    if let Some(own) = &duel.own {
        on_its_own(own, contest, gate, outcome);
    }
}

/// Compares both on the champion's holdout, because the new one may show only a narrow part of the world.
fn on_its_own(own: &Own, contest: &Contest, gate: &Gate, outcome: &mut Outcome) {
    let limit = |rmse: f64| rmse * (1.0 + gate.max_regression);
    let allowed = format!(
        "{} % are allowed (gate.max_regression)",
        number(100.0 * gate.max_regression)
    );
    let worse = |than: f64| number(100.0 * (own.candidate_rmse / than - 1.0));
    told_or_doubted(contest.started_by_drift, outcome).extend(own.target_drift.clone());
    if own.distinct_rows < gate.min_holdout_rows {
        outcome.doubts.push(format!(
            "the champion's holdout of {} says little: at least {} are needed (gate.min_holdout_rows)",
            different_rows(own.distinct_rows, own.rows),
            gate.min_holdout_rows
        ));
    } else if own.candidate_rmse > limit(own.champion_rmse) {
        let worse = worse(own.champion_rmse);
        let (candidate, champion) = own.together_rmse;
        if !contest.started_by_drift {
            outcome.verdict = Some(Verdict::RejectedChampion);
            outcome.reason += &format!(", which is {worse} % worse; {allowed}");
        } else if candidate <= limit(champion) {
            outcome.notes.push(format!(
                "on the champion's holdout the candidate is {worse} % worse: drift has started the run, and on the rows \
                 of both holdouts together it reaches {} against {}",
                number(candidate),
                number(champion)
            ));
        } else {
            // A changed world or a narrow burst? Both look like this, and the champion is good in the world that it
            // knows.
            outcome.verdict = Some(match gate.approval {
                Approval::Never => Verdict::RejectedChampion,
                Approval::OnDoubt | Approval::Always => Verdict::Held,
            });
            outcome.reason += &format!(
                ", which is {worse} % worse, and on the rows of both together {} against {}; {allowed}",
                number(candidate),
                number(champion)
            );
        }
    } else if own.candidate_rmse > limit(own.reference_rmse) {
        told_or_doubted(contest.started_by_drift, outcome).push(format!(
            "small regressions add up: on the champion's holdout the candidate is {} % worse than {}, what was reached \
             on it at first; {allowed}",
            worse(own.reference_rmse),
            number(own.reference_rmse)
        ));
    }
}

fn told_or_doubted(started_by_drift: bool, outcome: &mut Outcome) -> &mut Vec<String> {
    if started_by_drift {
        &mut outcome.notes
    } else {
        &mut outcome.doubts
    }
}

/// Whether a candidate that has won needs approval before it is exported.
pub fn is_held(doubts: &[String], approval: Approval) -> bool {
    match approval {
        Approval::Never => false,
        Approval::OnDoubt => !doubts.is_empty(),
        Approval::Always => true,
    }
}

/// Whether later candidates continue to be judged on the champion's holdout instead of this run's: a drop with fewer
/// than half as many different rows is not representative enough to replace it.
pub fn carries_holdout_on(distinct_rows: u64, own: &Own) -> bool {
    distinct_rows.saturating_mul(2) < own.distinct_rows
}

/// A number as text: six significant digits, no trailing zeros.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor();
    // proof: the clamp makes it a small, whole, positive number.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let decimals = (5.0 - magnitude).clamp(0.0, 12.0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
