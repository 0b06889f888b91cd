//! Reads the scores of candidate and champion, and pairs them row by row.

use crate::pairs::{Errors, MOST_ROWS, Pairs};
use crate::rules::{Contest, Duel, Opponent, Own};
use crate::scores::{RowError, Scores};
use crate::{Comparing, Error, RmseGate, fault};
use aws_sdk_s3::Client;
use contracts::places::{self, HOLDOUT_NEW, holdout_of};
use contracts::{Failure, ModelRun, RunId};
use platform::Documents;
use serde::Deserialize;

/// The suffix that batch transform appends to the name of each input.
const SCORED_SUFFIX: &str = ".out";

/// Scores, or why the content is not scores.
type Read = Result<Scores, String>;

/// The part of `summary.json` that is read.
#[derive(Deserialize)]
struct Summary {
    #[serde(default)]
    baseline: Option<NaiveBaseline>,
}

#[derive(Deserialize)]
struct NaiveBaseline {
    /// The RMSE of the median by group, or of the overall median if there are no groups.
    rmse: Option<f64>,
    rmse_of_median: Option<f64>,
}

impl RmseGate {
    /// Reads everything that the comparison is based on. It is an error if the comparison can't be made and the
    /// champion is not the cause.
    pub(crate) async fn contest(&self, comparing: &Comparing) -> Result<Contest, Error> {
        let (mut errors, candidate) = self.candidate(&comparing.candidate.scores_uri, HOLDOUT_NEW).await?;
        let opponent = self.opponent(comparing, &mut errors, &candidate).await?;
        Ok(Contest {
            candidate_rmse: candidate.rmse(),
            holdout_rows: candidate.rows(),
            distinct_rows: candidate.distinct_rows(),
            naive_rmse: self.naive_rmse(&comparing.run).await?,
            started_by_drift: comparing.started_by_drift,
            opponent,
        })
    }

    /// The candidate's scores of one holdout, which must be usable.
    async fn candidate(&self, scores_uri: &str, name: &str) -> Result<(Errors, Scores), Error> {
        let unusable = |reason: String| Error::HoldoutUnusable {
            place: format!("{scores_uri}{name}*"),
            reason,
        };
        let mut errors = Errors::default();
        let read = self.read(scores_uri, name, &mut |error| errors.add(error)).await?;
        let scores = read.map_err(unusable)?;
        if scores.rows() == 0 {
            return Err(unusable("there are no scores".to_owned()));
        }
        if !scores.rmse().is_finite() {
            return Err(unusable("predictions are not all finite numbers".to_owned()));
        }
        if !errors.are_all(scores.distinct_rows()) {
            let reason = format!(
                "{} rows are more than {MOST_ROWS}: lower split.holdout in the document",
                scores.distinct_rows()
            );
            return Err(unusable(reason));
        }
        Ok((errors, scores))
    }

    async fn opponent(
        &self,
        comparing: &Comparing,
        errors: &mut Errors,
        candidate: &Scores,
    ) -> Result<Opponent, Error> {
        let champion = &comparing.champion;
        // The run id was parsed when the champion was read: it is empty only if there is no champion.
        let Some(run) = RunId::parse(&champion.run_id).filter(|_| champion.found) else {
            return Ok(Opponent::None);
        };
        if !champion.comparable {
            let target = self.target_since(&champion.own_scores_uri, candidate).await?;
            return Ok(Opponent::OtherSchema(run, target));
        }
        if !comparing.champion_scored {
            let caught = &comparing.champion_error;
            return match fault::of_the_model(caught) {
                Some(reason) => Ok(Opponent::NotScored(run, reason)),
                None => {
                    let Failure { error, cause } = Failure::readable(&caught.error, &caught.cause);
                    Err(Error::ChampionNotScored {
                        champion: champion.run_id.clone(),
                        reason: format!("{error}: {cause}"),
                    })
                }
            };
        }
        let new = match self.paired(comparing, HOLDOUT_NEW, errors, candidate, None).await? {
            Ok(new) => new,
            Err(reason) => return Ok(Opponent::NotScored(run, reason)),
        };
        let mut duel = Duel {
            champion_rmse: new.champion_rmse,
            p_value: new.p_value,
            own: None,
        };
        if !champion.holdout.is_empty() {
            let name = holdout_of(&run);
            let (mut own_errors, own) = self.candidate(&comparing.candidate.scores_uri, &name).await?;
            errors.sort();
            let both = match self
                .paired(comparing, &name, &mut own_errors, &own, Some(errors))
                .await?
            {
                Ok(both) => both,
                Err(reason) => return Ok(Opponent::NotScored(run, reason)),
            };
            let only_here = &both.only_here;
            duel.own = Some(Own {
                rows: own.rows(),
                distinct_rows: own.distinct_rows(),
                candidate_rmse: own.rmse(),
                champion_rmse: both.champion_rmse,
                reference_rmse: champion.holdout_reference_rmse,
                together_rmse: only_here.with(
                    candidate.distinct_rows(),
                    candidate.distinct_rmse(),
                    new.champion_distinct_rmse,
                ),
                target_drift: own.labels().drift_to(candidate.labels()),
            });
        }
        Ok(Opponent::Scored(run, duel))
    }

    /// How the target has drifted since the holdout of a champion that can't score this one; `None` if it has not.
    async fn target_since(&self, scores_uri: &str, candidate: &Scores) -> Result<Option<String>, Error> {
        let before = match places::parse_uri(scores_uri) {
            Some(_) => self.read(scores_uri, HOLDOUT_NEW, &mut |_| ()).await?.ok(),
            None => None,
        };
        Ok(match before.filter(|before| before.rows() > 0) {
            Some(before) => before.labels().drift_to(candidate.labels()),
            None => Some(
                "whether the target has drifted from the champion's holdout can't be said: its scores are not there any more"
                    .to_owned(),
            ),
        })
    }

    /// Reads the champion's scores of a holdout and pairs them with the candidate's; or the reason why they are not
    /// scores.
    async fn paired(
        &self,
        comparing: &Comparing,
        name: &str,
        errors: &mut Errors,
        candidate: &Scores,
        elsewhere: Option<&Errors>,
    ) -> Result<Result<Paired, String>, Error> {
        let place = &comparing.champion_scores_uri;
        let mismatch = |scores: &Scores| Error::HoldoutMismatch {
            candidate: format!("{}{name}*", comparing.candidate.scores_uri),
            candidate_rows: candidate.rows(),
            champion: format!("{place}{name}*"),
            champion_rows: scores.rows(),
        };
        let (mut scores, mut pairs) = match self.streamed(place, name, errors, elsewhere).await? {
            Ok(read) => read,
            Err(reason) => return Ok(Err(reason)),
        };
        if !scores.are_of_the_rows_of(candidate) {
            return Err(mismatch(&scores));
        }
        if pairs.unmatched() {
            // The same rows, but in another order.
            errors.sort();
            (scores, pairs) = match self.streamed(place, name, errors, elsewhere).await? {
                Ok(read) => read,
                Err(reason) => return Ok(Err(reason)),
            };
            if pairs.unmatched() {
                return Err(mismatch(&scores));
            }
        }
        if !scores.rmse().is_finite() {
            return Ok(Err("its predictions are not all finite numbers".to_owned()));
        }
        Ok(Ok(Paired {
            champion_rmse: scores.rmse(),
            champion_distinct_rmse: scores.distinct_rmse(),
            p_value: pairs.p_value(),
            only_here: pairs.only_here().clone(),
        }))
    }

    /// Reads the champion's scores of a holdout and pairs them, row by row, with the candidate's.
    async fn streamed<'a>(
        &self,
        place: &str,
        name: &str,
        errors: &'a Errors,
        elsewhere: Option<&'a Errors>,
    ) -> Result<Result<(Scores, Pairs<'a>), String>, Error> {
        let mut pairs = Pairs::new(errors, elsewhere);
        let scores = self.read(place, name, &mut |error| pairs.add(error)).await?;
        Ok(scores.map(|scores| (scores, pairs)))
    }

    /// Reads the scores of a holdout. Content that isn't scores is no error here: what it means depends on whose scores
    /// they are.
    async fn read(&self, scores_uri: &str, name: &str, each: &mut impl FnMut(RowError)) -> Result<Read, Error> {
        let (bucket, prefix) =
            places::parse_uri(scores_uri).ok_or_else(|| Error::ScoresUriInvalid(scores_uri.to_owned()))?;
        let s3 = self.documents.client();
        let documents = Documents::new(s3.clone(), bucket);
        let mut scores = Scores::default();
        for object in documents.listed(&format!("{prefix}{name}"), None).await? {
            if !object.key.ends_with(SCORED_SUFFIX) {
                continue;
            }
            let place = places::uri(bucket, &object.key);
            if let Err(what) = read_object(s3, bucket, &object.key, &mut scores, each).await? {
                return Ok(Err(format!("{what} (in {place})")));
            }
        }
        Ok(Ok(scores))
    }

    /// The better of the run's naive baselines; `None` if it has none, or none that is a number.
    async fn naive_rmse(&self, run: &ModelRun) -> Result<Option<f64>, Error> {
        let key = run.places().data("summary") + "summary.json";
        let summary = self.documents.get::<Summary>(&key).await?;
        let baseline = summary.and_then(|summary| summary.value.baseline);
        let values = baseline.map(|baseline| [baseline.rmse, baseline.rmse_of_median]);
        Ok(values
            .into_iter()
            .flatten()
            .flatten()
            .filter(|rmse| rmse.is_finite())
            .reduce(f64::min))
    }
}

/// A champion's scores of a holdout, paired with the candidate's.
struct Paired {
    champion_rmse: f64,
    champion_distinct_rmse: f64,
    p_value: f64,
    only_here: crate::pairs::Both,
}

/// Reads the scores of one object; the inner error says what is wrong with the first row that can't be read.
async fn read_object(
    s3: &Client,
    bucket: &str,
    key: &str,
    scores: &mut Scores,
    each: &mut impl FnMut(RowError),
) -> Result<Result<(), String>, Error> {
    let call = || format!("GetObject {}", places::uri(bucket, key));
    let object = s3.get_object().bucket(bucket).key(key).send().await;
    let mut body = object.map_err(|error| platform::Error::aws_call(call(), &error))?.body;
    loop {
        let chunk = body.try_next().await.map_err(|error| platform::Error::AwsCall {
            call: call(),
            code: "ResponseUnreadable".to_owned(),
            message: error.to_string(),
        })?;
        let read = match &chunk {
            Some(bytes) => scores.read(bytes, each),
            None => scores.end_object(each),
        };
        if read.is_err() || chunk.is_none() {
            return Ok(read);
        }
    }
}
