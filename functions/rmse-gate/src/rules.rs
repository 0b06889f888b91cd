//! The two questions of the gate. `docs/gate.md` tells the same rules to people.

use contracts::RunId;

/// An answer, with the sentence that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the candidate passes.
    pub passed: bool,
    /// One sentence for people, with the numbers.
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

/// Whom the candidate is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Opponent {
    /// Nobody: the model has no champion yet.
    None,
    /// A champion whose raw columns are other ones: it can't score this holdout.
    OtherSchema(RunId),
    /// A champion that could not score the holdout, and why.
    NotScored(RunId, String),
    /// A champion and its RMSE on the same holdout, finite.
    Scored(RunId, f64),
}

/// Is the candidate better than the champion on the same holdout?
pub fn comparison(candidate_rmse: f64, opponent: &Opponent, min_improvement: f64) -> Judgement {
    let candidate = number(candidate_rmse);
    let (run, champion_rmse) = match opponent {
        Opponent::None => {
            return passes(format!(
                "the first champion: RMSE {candidate} on the holdout, nothing to compare with"
            ));
        }
        Opponent::OtherSchema(run) => {
            return passes(format!(
                "RMSE {candidate} on the holdout; champion {run} has another schema and can't be compared"
            ));
        }
        Opponent::NotScored(run, why) => {
            return passes(format!(
                "RMSE {candidate} on the holdout; champion {run} can't be scored: {why}"
            ));
        }
        Opponent::Scored(run, rmse) => (run, *rmse),
    };
    let needed = champion_rmse * (1.0 - min_improvement);
    let (champion, margin) = (number(champion_rmse), number(100.0 * min_improvement));
    if candidate_rmse < needed {
        passes(format!(
            "RMSE {candidate} on the holdout is better than champion {run}'s {champion}"
        ))
    } else {
        let reason = if candidate_rmse < champion_rmse {
            format!("RMSE {candidate} on the holdout is not {margin} % better than champion {run}'s {champion}")
        } else if candidate_rmse > champion_rmse {
            format!("RMSE {candidate} on the holdout is worse than champion {run}'s {champion}")
        } else {
            format!("RMSE {candidate} on the holdout equals champion {run}'s: the champion stays")
        };
        Judgement { passed: false, reason }
    }
}

fn passes(reason: String) -> Judgement {
    Judgement { passed: true, reason }
}

/// A number for people: six significant digits, no trailing zeros.
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run() -> RunId {
        RunId::parse("20261122t183000z-ab12cd34").unwrap()
    }

    #[test]
    fn the_metric_must_be_strictly_under_the_threshold() {
        for (value, passed, reason) in [
            (
                Some(8_999.99),
                true,
                "validation:rmse of 8999.99 is under the threshold of 9000",
            ),
            (
                Some(9_000.0),
                false,
                "validation:rmse of 9000 is not under the threshold of 9000",
            ),
            (
                Some(9_000.5),
                false,
                "validation:rmse of 9000.5 is not under the threshold of 9000",
            ),
            (
                None,
                false,
                "validation:rmse is not a finite number: training diverged (the threshold is 9000)",
            ),
            (
                Some(f64::NAN),
                false,
                "validation:rmse is not a finite number: training diverged (the threshold is 9000)",
            ),
        ] {
            let judgement = threshold("validation:rmse", value, 9_000.0);
            assert_eq!(
                (judgement.passed, judgement.reason.as_str()),
                (passed, reason),
                "{value:?}"
            );
        }
    }

    #[test]
    fn the_candidate_must_be_better_by_the_margin() {
        let champion = |rmse| Opponent::Scored(run(), rmse);
        let not_scored = Opponent::NotScored(run(), "its transform job failed".to_owned());
        for (candidate, opponent, margin, passed, reason) in [
            (
                99.0,
                champion(100.0),
                0.0,
                true,
                "RMSE 99 on the holdout is better than champion {}'s 100",
            ),
            (
                100.0,
                champion(100.0),
                0.0,
                false,
                "RMSE 100 on the holdout equals champion {}'s: the champion stays",
            ),
            (
                0.0,
                champion(0.0),
                0.0,
                false,
                "RMSE 0 on the holdout equals champion {}'s: the champion stays",
            ),
            (
                101.0,
                champion(100.0),
                0.0,
                false,
                "RMSE 101 on the holdout is worse than champion {}'s 100",
            ),
            (
                94.0,
                champion(100.0),
                0.05,
                true,
                "RMSE 94 on the holdout is better than champion {}'s 100",
            ),
            (
                95.0,
                champion(100.0),
                0.05,
                false,
                "RMSE 95 on the holdout is not 5 % better than champion {}'s 100",
            ),
            (
                7.5,
                Opponent::None,
                0.05,
                true,
                "the first champion: RMSE 7.5 on the holdout, nothing to compare with",
            ),
            (
                7.5,
                Opponent::OtherSchema(run()),
                0.05,
                true,
                "RMSE 7.5 on the holdout; champion {} has another schema and can't be compared",
            ),
            (
                7.5,
                not_scored,
                0.05,
                true,
                "RMSE 7.5 on the holdout; champion {} can't be scored: its transform job failed",
            ),
        ] {
            let judgement = comparison(candidate, &opponent, margin);
            assert_eq!(judgement.passed, passed, "{candidate} against {opponent:?}");
            assert_eq!(judgement.reason, reason.replace("{}", &run().to_string()));
        }
    }

    #[test]
    fn numbers_are_for_people() {
        for (value, text) in [
            (3_512.213_7, "3512.21"),
            (4_211.0, "4211"),
            (1_234_567.8, "1234568"),
            (100.0, "100"),
            (0.012_345_678, "0.0123457"),
            (0.0, "0"),
            (1e-20, "0"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    proptest! {
        #[test]
        fn two_models_never_replace_each_other(
            one in 0.0..1e6_f64, other in 0.0..1e6_f64, margin in 0.0..0.9_f64,
        ) {
            let beats = |a, b| comparison(a, &Opponent::Scored(run(), b), margin).passed;
            prop_assert!(!(beats(one, other) && beats(other, one)));
        }
    }
}
