//! The step `compare`.

use crate::rules::{Duel, Outcome};
use crate::{Comparing, Error, Response, RmseGate, rules};
use contracts::decision::{ChampionsHoldout, Comparison};
use contracts::places;
use jiff::Timestamp;

impl RmseGate {
    pub(crate) async fn compare(&self, comparing: Comparing, now: Timestamp) -> Result<Response, Error> {
        let contest = self.contest(&comparing).await?;
        let Comparing {
            run,
            mut candidate,
            champion,
            gate,
            ..
        } = comparing;
        let Outcome {
            verdict,
            reason,
            doubts,
            notes,
        } = rules::comparison(&contest, &gate);
        let passed = verdict.is_none();
        tracing::info!(run_id = %run.run_id, model = run.model, passed, reason, ?doubts, "comparison");
        let duel = contest.opponent.duel();
        let own = duel.and_then(|duel| duel.own.as_ref());
        let (holdout, holdout_reference_rmse) = match own {
            Some(own) if rules::carries_holdout_on(contest.distinct_rows, own) => {
                (champion.holdout.clone(), own.reference_rmse)
            }
            _ => {
                let folder = places::uri(&run.bucket, &run.places().data("holdout"));
                (folder, contest.candidate_rmse)
            }
        };
        // The quality baseline is made of the scores of this run's holdout only.
        candidate.scores_uri = format!("{}{}", candidate.scores_uri, places::HOLDOUT_NEW);
        // Stored so that a held candidate can later become a champion like any other.
        candidate.holdout = Some(holdout.clone());
        candidate.holdout_reference_rmse = Some(holdout_reference_rmse);
        let comparison = Comparison {
            candidate_rmse: Some(contest.candidate_rmse),
            champion_rmse: duel.map(|duel| duel.champion_rmse),
            champion_run_id: contest.opponent.run().cloned(),
            holdout_rows: contest.holdout_rows,
            distinct_rows: Some(contest.distinct_rows),
            min_improvement: gate.min_improvement,
            p_value: duel.map(|duel| duel.p_value),
            champions_holdout: own.map(|own| ChampionsHoldout {
                place: champion.holdout.clone(),
                rows: own.rows,
                distinct_rows: Some(own.distinct_rows),
                candidate_rmse: own.candidate_rmse,
                champion_rmse: own.champion_rmse,
                reference_rmse: own.reference_rmse,
                max_regression: gate.max_regression,
            }),
            naive_rmse: contest.naive_rmse,
            doubts: champion.doubts.into_iter().chain(doubts).collect(),
            notes,
            passed,
        };
        self.decisions
            .update(&run, now, |decision| {
                decision.decision = verdict;
                decision.reason.clone_from(&reason);
                decision.comparison = Some(comparison);
                decision.candidate = Some(candidate);
            })
            .await?;
        Ok(Response::Compare {
            passed,
            reason,
            candidate_rmse: contest.candidate_rmse,
            champion_rmse: duel.map(|duel: &Duel| duel.champion_rmse),
            holdout_rows: contest.holdout_rows,
            holdout,
            holdout_reference_rmse,
        })
    }
}
